#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "coppice/tensor/tensor.hpp"

namespace coppice::formats {

/// NumPy's archives of arrays: zip files whose entries are npy files, stored or deflated, as numpy.savez and
/// numpy.savez_compressed write them. https://numpy.org/doc/stable/reference/generated/numpy.savez.html
///
/// Encrypted entries, other ways of compression, two arrays of one name, and sizes that the file cannot hold are
/// refused. Not for several threads at once.
class NpzFile {
 public:
  /// Reads the list of arrays. Throws Error, which begins with `path`.
  explicit NpzFile(const std::string& path);
  /// The same from memory; `name` stands for the file in messages.
  NpzFile(tensor::Bytes bytes, std::string name);
  ~NpzFile();
  NpzFile(NpzFile&&) noexcept;
  NpzFile& operator=(NpzFile&&) noexcept;

  /// Of the arrays, in the file's order: "x" for the entry "x.npy". Entries of other kinds are passed over.
  const std::vector<std::string>& names() const;
  /// A copy of one array. Throws Error for a name that is not there, with those that are, and for damage.
  tensor::Tensor read(std::string_view array) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// "pairs.npz:x:y" as "pairs.npz" and "x:y", "pairs.npz" as itself and nothing; none for the name of another file.
std::optional<std::pair<std::string, std::string>> split_npz(std::string_view text);

}  // namespace coppice::formats
