"""Octet as a Conan 2 package: conan create cmake/packaging/conan"""

import os
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.files import copy, load
from conan.tools.layout import basic_layout

TREE = os.path.join("..", "..", "..")
COMPONENTS = {"onnx": "protozero/1.7.1", "json": "nlohmann_json/3.11.2"}  # what each of Octet's needs


class OctetConan(ConanFile):
    name = "octet"
    description = "Header-only C++20 library that quantizes convolutional networks and runs them in int8"
    license = "Apache-2.0"
    topics = ("quantization", "int8", "inference", "onnx", "header-only")
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"onnx": [True, False], "json": [True, False]}
    default_options = {"onnx": True, "json": True}
    no_copy_source = True

    def set_version(self):
        config = load(self, os.path.join(self.recipe_folder, TREE, "include", "octet", "core", "config.hpp"))
        self.version = ".".join(re.findall(r"define OCTET_VERSION_[A-Z]+ (\d+)", config))

    def export_sources(self):
        tree = os.path.join(self.recipe_folder, TREE)
        copy(self, "*.hpp", os.path.join(tree, "include"), os.path.join(self.export_sources_folder, "include"))
        copy(self, "LICENSE", tree, self.export_sources_folder)

    def requirements(self):
        for component, package in COMPONENTS.items():
            if self.options.get_safe(component):
                self.requires(package)

    def layout(self):
        basic_layout(self, src_folder=".")

    def package_id(self):
        self.info.clear()

    def validate(self):
        check_min_cppstd(self, 20)

    def package(self):
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))
        copy(self, "*.hpp", os.path.join(self.source_folder, "include"), os.path.join(self.package_folder, "include"))

    def package_info(self):
        core = self.cpp_info.components["core"]
        core.set_property("cmake_target_name", "octet::octet")
        core.bindirs = core.libdirs = []
        for name, package in COMPONENTS.items():
            if self.options.get_safe(name):
                needed = package.split("/")[0]
                component = self.cpp_info.components[name]
                component.set_property("cmake_target_name", f"octet::{name}")
                component.requires = ["core", f"{needed}::{needed}"]
                component.includedirs = component.bindirs = component.libdirs = []
