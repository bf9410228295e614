"""What the engine adds to CPython, before any script runs.

`natives` holds the functions that are written in Rust.
"""

import builtins
import sys
import time
import _frozen_importlib
import _frozen_importlib_external
import _thread
from importlib.machinery import ModuleSpec, PathFinder


class Stop(BaseException):
    """Raised in a script whose run is over. Catching it changes nothing: it is raised again."""

    __init__ = natives.stopped


class Error(Exception):
    """A failure of a host function: `kind`, `message` and perhaps `help`."""

    def __init__(self, message="", kind="script_error", help=None):
        super().__init__(message)
        self.message = message
        self.kind = kind
        self.help = help

    def __str__(self):
        return str(self.message)


class PermissionDenied(Error, PermissionError):
    """Something that was not granted."""


class NotFound(Error, FileNotFoundError):
    """A file that is not there."""


class ImportRefused(Error, ImportError):
    """A file that is not imported, whether or not it is there."""


for _type in (Error, PermissionDenied, NotFound, ImportRefused):
    _type.__module__ = "skill"


def drive(awaitable):
    """Runs an awaitable on a loop of its own, and closes the loop."""
    import asyncio

    loop = asyncio.new_event_loop()
    natives.set_waker(lambda: loop.call_soon_threadsafe(int))
    try:
        asyncio.set_event_loop(loop)
        result = loop.run_until_complete(awaitable)
        tasks = asyncio.all_tasks(loop)
        if tasks:
            for task in tasks:
                task.cancel()
            loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
        return result
    finally:
        loop.set_exception_handler(lambda loop, context: None)
        asyncio.set_event_loop(None)
        natives.set_waker(None)
        loop.close()


class Sibling(_frozen_importlib_external._LoaderBasics):
    """Loads a module from a file that the host has given. Its base executes it, so that tracebacks leave that out."""

    def __init__(self, file, folder):
        self.file = file
        # From that of the script, where the module is a package.
        self.folder = folder

    def is_package(self, name):
        return self.folder is not None

    def get_filename(self, name):
        return self.file

    def get_source(self, name):
        return natives.module_source(self.file)

    def get_code(self, name):
        return natives.module_code(self.file)


def _sibling(name, path):
    """The spec of a module beside the script, by its path without an extension."""
    for end, folder in (("/__init__.py", path), (".py", None)):
        file = natives.module_file(path + end)
        if file is not None:
            spec = ModuleSpec(name, Sibling(file, folder), origin=file, is_package=folder is not None)
            spec.has_location = True
            # Without a folder on this machine nobody is to look in one of that name.
            if folder is not None and file.startswith("/"):
                spec.submodule_search_locations.append(file.rpartition("/")[0])
            return spec
    return None


class Parts:
    """Finds what is in packages that the host has given."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if path is not None:
            outer, _, inner = name.rpartition(".")
            loader = getattr(getattr(sys.modules.get(outer), "__spec__", None), "loader", None)
            if type(loader) is Sibling and loader.folder is not None:
                return _sibling(name, f"{loader.folder}/{inner}")
        return None


class Siblings:
    """Finds modules beside the script that the thread runs, after those of the standard library."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if path is None:
            spec = _sibling(name, name)
            if spec is not None:
                natives.imported(name)
                return spec
            folder = natives.script_folder()
            if folder is not None:
                spec = PathFinder.find_spec(name, [folder])
                if spec is not None:
                    natives.imported(name)
                return spec
        return None


sys.meta_path.insert(0, Parts)
sys.meta_path.append(Siblings)
_frozen_importlib._find_and_load_unlocked = natives.importer(_frozen_importlib._find_and_load_unlocked)


def _unraisable(info):
    if info.exc_type is None or not issubclass(info.exc_type, Stop):
        sys.__unraisablehook__(info)


sys.unraisablehook = _unraisable

_set_limit = sys.setrecursionlimit
_highest = sys.getrecursionlimit()


def setrecursionlimit(limit, /):
    """Lowers the recursion limit until the run ends."""
    if limit > _highest:
        raise ValueError(f"a script cannot raise the recursion limit above {_highest}: "
                         "the host's thread has no stack for more")
    _set_limit(limit)


sys.setrecursionlimit = setrecursionlimit


def setswitchinterval(interval, /):
    """Would keep the engine from stopping scripts."""
    raise RuntimeError("a script cannot change the switch interval of the process")


sys.setswitchinterval = setswitchinterval


def restore_limit():
    _set_limit(_highest)


def leave(code=None):
    """Ends the script."""
    raise SystemExit(code)


builtins.exit = builtins.quit = leave


def _exit(status=0):
    """Would end the process that embeds the script."""
    raise SystemExit("os._exit would end the host: use sys.exit")


for _name in ("posix", "os"):
    if _name in sys.modules or _name == "posix":
        __import__(_name)._exit = _exit

time.sleep = natives.sleep
_start = _thread.start_new_thread


def start_new_thread(function, args, kwargs={}, /):
    """Starts a thread that belongs to the run of the thread that starts it."""
    return _start(natives.thread_of_run(function), args, kwargs)


_thread.start_new_thread = _thread.start_new = start_new_thread
if "threading" in sys.modules:
    sys.modules["threading"]._start_new_thread = start_new_thread

if hasattr(_thread, "start_joinable_thread"):
    _start_joinable = _thread.start_joinable_thread

    def start_joinable_thread(function, *args, **kwargs):
        """Starts a thread that belongs to the run of the thread that starts it."""
        return _start_joinable(natives.thread_of_run(function), *args, **kwargs)

    _thread.start_joinable_thread = start_joinable_thread
    if "threading" in sys.modules:
        sys.modules["threading"]._start_joinable_thread = start_joinable_thread
