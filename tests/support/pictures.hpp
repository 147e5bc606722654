#pragma once
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <jpeglib.h>  // needs size_t and FILE
#include <zlib.h>

namespace coppice::test {

struct JpegKind {
  int channels = 1;  ///< 1: grey, 3: red, green and blue, 4: the inks of CMYK.
  bool progressive = false, adobe = true;
  std::vector<jpeg_scan_info> passes{};  ///< In place of the usual ones.
};

/// A JPEG file of the best quality: a block of 8 by 8 equal numbers comes back as it was.
inline std::string jpeg(const std::vector<std::uint8_t>& pixels, int width, int height, JpegKind kind = {}) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* bytes = nullptr;
  unsigned long size = 0;  // NOLINT: libjpeg's type
  jpeg_mem_dest(&info, &bytes, &size);
  info.image_width = static_cast<JDIMENSION>(width);
  info.image_height = static_cast<JDIMENSION>(height);
  info.input_components = kind.channels;
  info.in_color_space = kind.channels == 1 ? JCS_GRAYSCALE : kind.channels == 3 ? JCS_RGB : JCS_CMYK;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, 100, TRUE);
  if (kind.progressive) jpeg_simple_progression(&info);
  if (!kind.passes.empty()) {
    info.scan_info = kind.passes.data();
    info.num_scans = static_cast<int>(kind.passes.size());
  }
  if (!kind.adobe) info.write_Adobe_marker = FALSE;
  jpeg_start_compress(&info, TRUE);
  const std::size_t row = static_cast<std::size_t>(width) * static_cast<std::size_t>(kind.channels);
  while (info.next_scanline < info.image_height) {
    JSAMPROW line = const_cast<JSAMPROW>(pixels.data() + info.next_scanline * row);
    jpeg_write_scanlines(&info, &line, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  const std::string out(reinterpret_cast<const char*>(bytes), size);
  std::free(bytes);
  return out;
}

inline std::string big_endian(std::uint64_t value) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xff);
  return out;
}

inline std::string png_chunk(const std::string& type, const std::string& content) {
  const std::string body = type + content;
  const auto crc = crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<unsigned>(body.size()));
  return big_endian(content.size()) + body + big_endian(crc);
}

struct PngKind {
  int depth = 8;   ///< Bits of a number.
  int colour = 2;  ///< 0: grey, 2: red, green and blue, 3: palette, 4: grey and alpha, 6: colours and alpha.
  std::string palette{}, transparency{};  ///< Contents of PLTE and tRNS.
};

/// A PNG file written by the letter of its specification (https://www.w3.org/TR/png-3); `rows` are packed as there.
inline std::string png(const std::vector<std::string>& rows, int width, PngKind kind = {}) {
  std::string raw;
  for (const std::string& row : rows) raw += '\0' + row;  // filtered by nothing
  uLongf packed = compressBound(raw.size());
  std::string content(packed, '\0');
  compress(reinterpret_cast<Bytef*>(content.data()), &packed, reinterpret_cast<const Bytef*>(raw.data()), raw.size());
  content.resize(packed);
  std::string header = big_endian(static_cast<std::uint64_t>(width)) + big_endian(rows.size());
  header += {static_cast<char>(kind.depth), static_cast<char>(kind.colour), '\0', '\0', '\0'};
  std::string out = "\x89PNG\r\n\x1a\n" + png_chunk("IHDR", header);
  if (!kind.palette.empty()) out += png_chunk("PLTE", kind.palette);
  if (!kind.transparency.empty()) out += png_chunk("tRNS", kind.transparency);
  return out + png_chunk("IDAT", content) + png_chunk("IEND", "");
}

}  // namespace coppice::test
