// Names of files, and what a directory holds.
#pragma once

#include <string>
#include <string_view>
#include <vector>

/// The names of the images in a directory (.png, .jpg, .jpeg in any case), sorted; those of the directories in it.
/// Throws octet::error when the directory cannot be listed.
std::vector<std::string> list_images(const std::string& directory);
std::vector<std::string> list_folders(const std::string& directory);

bool exists(const std::string& path);
bool is_directory(const std::string& path);
/// Whether it ends as the name of an image does.
bool is_image_name(const std::string& path);
/// "png" of "images/star.PNG"
std::string extension_of(const std::string& path);
/// "star.png" of "images/star.png"
std::string name_of(const std::string& path);

/// The lines of a text without the spaces and carriage returns at their ends; an empty one at the end is none.
std::vector<std::string> lines_of(std::string_view text);

/// Throws octet::error naming `option` unless `path` may become a file: its directory takes files, and it is none of
/// `others`, which are read or written too. Asked before the work whose result it is.
void check_target(const char* option, const std::string& path, const std::vector<std::string>& others);
