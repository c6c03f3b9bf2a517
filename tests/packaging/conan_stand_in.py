"""conan_stand_in.py <conanfile.py> <version> <work directory>: runs a recipe's steps in the order in which Conan 2 does,
with the few functions of Conan that it uses played here, and checks what they leave behind."""

import fnmatch
import importlib.util
import pathlib
import shutil
import sys
import types
from collections import defaultdict


class Options(dict):
    def get_safe(self, name):
        return self.get(name)


class Component(types.SimpleNamespace):
    def set_property(self, name, value):
        setattr(self, name, value)


class ConanFile:
    def __init__(self, folder, options):
        self.recipe_folder = str(folder)
        self.options = Options(options)
        self.required = []
        self.requires = self.required.append
        self.info = types.SimpleNamespace(clear=lambda: None)
        self.cpp_info = types.SimpleNamespace(components=defaultdict(Component))


def copy(_, pattern, src, dst):
    src, dst = pathlib.Path(src), pathlib.Path(dst)
    exact = src / pattern
    for path in [exact] if exact.is_file() else src.rglob("*"):
        relative = path.relative_to(src)
        if path.is_file() and fnmatch.fnmatch(str(relative), pattern):
            (dst / relative).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, dst / relative)


def stand_in(name, **members):
    module = types.ModuleType(name)
    vars(module).update(members)
    sys.modules[name] = module


stand_in("conan", ConanFile=ConanFile)
stand_in("conan.tools")
stand_in("conan.tools.build", check_min_cppstd=lambda _, least: None)
stand_in("conan.tools.files", copy=copy, load=lambda _, path: pathlib.Path(path).read_text())
stand_in("conan.tools.layout", basic_layout=lambda _, src_folder: None)

recipe_path, version, work = pathlib.Path(sys.argv[1]), sys.argv[2], pathlib.Path(sys.argv[3])
spec = importlib.util.spec_from_file_location("recipe", recipe_path)
recipe = importlib.util.module_from_spec(spec)
spec.loader.exec_module(recipe)

for onnx in (True, False):
    shutil.rmtree(work, ignore_errors=True)
    one = recipe.OctetConan(recipe_path.parent, {**recipe.OctetConan.default_options, "onnx": onnx})
    one.set_version()
    assert one.version == version, f"the recipe reads version {one.version}, and the headers say {version}"
    one.export_sources_folder = one.source_folder = str(work / "sources")
    one.package_folder = str(work / "package")
    one.export_sources()
    one.requirements()
    one.layout()
    one.validate()
    one.package_id()
    one.package()
    one.package_info()
    assert (work / "package/include/octet/octet.hpp").is_file(), "the package has no octet/octet.hpp"
    assert (work / "package/licenses/LICENSE").is_file(), "the package has no licence"
    assert any(name.startswith("protozero/") for name in one.required) == onnx
    targets = {part.cmake_target_name for part in one.cpp_info.components.values()}
    assert ("octet::onnx" in targets) == onnx and "octet::octet" in targets, targets
print(f"octet/{version}: the recipe's steps run, with and without onnx")
