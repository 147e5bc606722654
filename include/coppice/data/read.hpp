#pragma once
#include <string>

#include "coppice/data/dataset.hpp"

namespace coppice::data {

/// Which samples of data that come in two parts.
enum class Part { training, test };

/// What is done about a record that cannot be read.
enum class Damaged {
  refused,  ///< An Error names it, when it is fetched at the latest.
  skipped,  ///< All records are tried at once, and those that fail are left out: see Dataset::skipped().
};

/// Reads what `text` names:
///   x.npy:y.npy           inputs and targets; several inputs as a.npy,b.npy:y.npy; inputs alone as x.npy
///   pairs.npz[:X:Y]       the same of the arrays X (or A,B) and Y in that file; without names, its only array, x and
///                         y, arr_0 and arr_1, or x_train and y_train, of which x_test and y_test are the test part
///   fashion-mnist[:N]     the (first N) pictures [N, 1, 28, 28] of Debian's package dataset-fashion-mnist
///   idx:FOLDER[:N]        the same of a folder with files named as MNIST's, compressed or not
///   cifar10:FOLDER[:N]    the (first N) pictures [N, 3, 32, 32] of a folder with CIFAR-10's binary version
///   cifar100:FOLDER[:N]   the same of CIFAR-100, by its fine labels
///   images:FOLDER:SIZE    pictures [N, 3, SIZE, SIZE] of a folder with a folder for each class
///   tokens:FILE:LENGTH    rows of a language model's tokens: see read_tokens(); with :uint8 or :uint32 behind, such
///                         numbers
/// A folder's or file's name may hold colons. Throws Error, which names the file; npy files, named arrays, tokens and
/// image folders without parts have none: `part` is not looked at. Records are what can be damaged by itself: pictures
/// of CIFAR and of image folders, rows of tokens; damage of other files is always refused.
DatasetPtr read(const std::string& text, Part part = Part::training, Damaged damaged = Damaged::refused);

/// The pictures and labels of a folder with files named as MNIST's; `most` 0: all.
DatasetPtr read_idx_folder(const std::string& folder, Part part = Part::training, std::int64_t most = 0);
/// Where Debian's package keeps Fashion-MNIST.
inline constexpr const char* fashion_mnist_folder = "/usr/share/datasets/fashion-mnist";

/// The binary versions of CIFAR-10 and CIFAR-100 (https://www.cs.toronto.edu/~kriz/cifar.html).
enum class Cifar { ten, hundred };
/// Pictures of bytes [3, 32, 32] from data_batch_1.bin to 5 and test_batch.bin, or train.bin and test.bin, with the
/// (fine) labels; the files are mapped, not copied. The classes are named by batches.meta.txt or fine_label_names.txt,
/// where that is there. Throws Error naming file and record for one that is cut short or has a label out of range.
DatasetPtr read_cifar_folder(const std::string& folder, Cifar kind, Part part = Part::training,
                             Damaged damaged = Damaged::refused);

/// How the numbers of a raw file are kept, little-endian. Any text is a file of uint8: its bytes are the tokens.
enum class TokenType { uint8, uint16, uint32 };
/// Rows of `length` tokens, one behind the other, as int64 [length]; the target of a row is the same moved on by one,
/// so that each token's target is the one that follows. What is left at the end is not used. The file is mapped, not
/// copied: raw numbers of the type, or, where its name ends in .npy, an array of whole numbers with one axis. Throws
/// Error for a file with less than one row, and when a row is fetched that holds a negative number.
DatasetPtr read_tokens(const std::string& path, std::int64_t length, TokenType type = TokenType::uint16,
                       Damaged damaged = Damaged::refused);

}  // namespace coppice::data
