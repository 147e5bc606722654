#include <csetjmp>
#include <cstdio>
#include <string>

#include <jerror.h>
#include <jpeglib.h>  // needs size_t and FILE

#include "coppice/base/error.hpp"

#include "data/pictures/formats.hpp"

namespace coppice::data {
namespace {

// Each pass over a progressive picture costs as much as a whole one; encoders make about ten.
constexpr int most_passes = 100;

// What libjpeg says of odd but whole files.
bool harmless(int warning) {
  return warning == JWRN_EXTRANEOUS_DATA || warning == JWRN_ADOBE_XFORM || warning == JWRN_JFIF_MAJOR;
}

/// A decoder that ends where libjpeg finds an error or damage.
class Jpeg {
 public:
  explicit Jpeg(std::span<const std::byte> file) : file_(file) {
    info_.err = jpeg_std_error(&errors_);
    info_.client_data = this;
    errors_.error_exit = [](j_common_ptr info) { of(info).leave(info); };
    errors_.output_message = [](j_common_ptr) {};
    errors_.emit_message = [](j_common_ptr info, int level) {
      if (level < 0 && !harmless(info->err->msg_code)) of(info).leave(info);
    };
    progress_.progress_monitor = [](j_common_ptr info) {
      if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number <= most_passes) return;
      std::snprintf(of(info).text_, sizeof text_, "it has more than %d passes", most_passes);
      std::longjmp(of(info).place_, 1);
    };
    run([](Jpeg& jpeg) {
      jpeg_create_decompress(&jpeg.info_);
      jpeg.info_.progress = &jpeg.progress_;
    });
  }
  ~Jpeg() { jpeg_destroy_decompress(&info_); }
  Jpeg(const Jpeg&) = delete;
  Jpeg& operator=(const Jpeg&) = delete;

  at::Tensor decode(std::int64_t most) {
    run([](Jpeg& jpeg) {
      jpeg_mem_src(&jpeg.info_, reinterpret_cast<const unsigned char*>(jpeg.file_.data()), jpeg.file_.size());
      jpeg_read_header(&jpeg.info_, TRUE);
    });
    expect_pixels(info_.image_height, info_.image_width, most);
    const bool printed = info_.jpeg_color_space == JCS_CMYK || info_.jpeg_color_space == JCS_YCCK;
    info_.out_color_space = printed ? JCS_CMYK : JCS_RGB;
    const at::Tensor pixels = at::empty({info_.image_height, info_.image_width, printed ? 4 : 3}, at::kByte);
    row_ = pixels.data_ptr<std::uint8_t>();
    run([](Jpeg& jpeg) {
      jpeg_start_decompress(&jpeg.info_);
      const std::size_t width = std::size_t{jpeg.info_.output_width} * jpeg.info_.output_components;
      while (jpeg.info_.output_scanline < jpeg.info_.output_height) {
        JSAMPROW row = jpeg.row_;
        jpeg.row_ += jpeg_read_scanlines(&jpeg.info_, &row, 1) * width;
      }
      jpeg_finish_decompress(&jpeg.info_);
    });
    return printed ? without_black(pixels) : pixels;
  }

 private:
  static Jpeg& of(j_common_ptr info) { return *static_cast<Jpeg*>(info->client_data); }

  [[noreturn]] void leave(j_common_ptr info) {
    errors_.format_message(info, text_);
    std::longjmp(place_, 1);
  }

  // No object with a destructor may live in `step` when libjpeg leaves it.
  void run(void (*step)(Jpeg&)) {
    if (!passes(step)) throw Error(text_);
  }
  bool passes(void (*step)(Jpeg&)) {
    if (setjmp(place_)) return false;
    step(*this);
    return true;
  }

  // Each colour less what the black takes. Adobe's programs, which write most of these files, store what is left
  // instead of the ink.
  at::Tensor without_black(const at::Tensor& inks) const {
    const at::Tensor left = (info_.saw_Adobe_marker ? inks : inks.bitwise_not()).to(at::kInt);
    return left.narrow(2, 0, 3).mul(left.narrow(2, 3, 1)).add_(127).div_(255, "floor").to(at::kByte);
  }

  std::span<const std::byte> file_;
  jpeg_decompress_struct info_{};
  jpeg_error_mgr errors_{};
  jpeg_progress_mgr progress_{};
  std::jmp_buf place_{};
  std::uint8_t* row_ = nullptr;
  char text_[JMSG_LENGTH_MAX]{};
};

}  // namespace

at::Tensor decode_jpeg(std::span<const std::byte> file, std::int64_t most) {
  return Jpeg(file).decode(most);
}

}  // namespace coppice::data
