#pragma once
#include <cstdlib>
#include <filesystem>
#include <string>

#include <unistd.h>

namespace coppice::test {

/// A folder of its own, gone when the test ends. COPPICE_KEEP=FOLDER puts the files there instead and keeps them.
class Scratch {
 public:
  Scratch() {
    if (const char* keep = std::getenv("COPPICE_KEEP"); keep && *keep) {
      std::filesystem::create_directories(path_ = keep);
      kept_ = true;
      return;
    }
    std::string pattern = (std::filesystem::temp_directory_path() / "coppice-XXXXXX").string();
    if (mkdtemp(pattern.data())) path_ = pattern;
  }
  ~Scratch() {
    std::error_code ignored;
    if (!path_.empty() && !kept_) std::filesystem::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
  bool kept_ = false;
};

}  // namespace coppice::test
