// What stb_image takes on trust in a JPEG file, checked before it is asked to decode one.
#pragma once

#include <cstddef>
#include <span>

/// Why a file that begins as JPEG files do is not given to stb_image, or nullptr. It may hold no more than 256 codes in
/// a Huffman table and only sampling factors that divide the largest ones (version 2.27, which distributions ship,
/// writes and reads beyond its arrays otherwise: CVE-2022-28042, CVE-2021-37789), and must have its end marker (stb
/// fills what is missing with grey). Markers: ITU-T T.81, annex B.
const char* broken_jpeg(std::span<const std::byte> bytes);
