// Names of files, and what a directory holds.
#pragma once

#include <string>
#include <string_view>
#include <vector>

/// The names of the images in a directory (.png, .jpg, .jpeg in any case), sorted; those of the directories in it.
/// Throws octet::error when the directory cannot be listed.
std::vector<std::string> list_images(const std::string& directory);
std::vector<std::string> list_folders(const std::string& directory);

bool is_directory(const std::string& path);
/// Whether it ends as the name of an image does.
bool is_image_name(const std::string& path);
/// "png" of "images/star.PNG"
std::string extension_of(const std::string& path);
/// "star.png" of "images/star.png"
std::string name_of(const std::string& path);
