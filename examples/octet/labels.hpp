// The class of each sample.
#pragma once

#include <string>
#include <vector>

#include "samples.hpp"

/// From a file: .npy of integers, IDX, .bin of bytes, .csv of lines "file,label" for a directory of images (the file as
/// it stands below the directory), other files as text with one number a line. An empty path: the classes that the
/// samples' folders are. Throws octet::error where there is not one for each sample, taken or available, or a class
/// plus `offset` is not in [0, classes). The result has `offset` added.
std::vector<int> load_labels(const std::string& path, const sample_set& samples, int classes, int offset);
