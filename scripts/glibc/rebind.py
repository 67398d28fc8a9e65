"""Has shared objects that are linked already ask for symbols of an old GNU C library. stubs.py does that when something is linked;
this is for macros, which cargo has linked long ago and which the compiler loads.

usage: rebind.py LIMIT FILE...      LIMIT: 2.28; files that need nothing newer stay as they are

A symbol of a newer version is asked for without a version: a C library that has the newer one gives that, an older one its own. What
no older library has at all may be missing (stat64, fstat64, gettid: Rust's standard library asks for statx first, which 2.28 has);
anything else is an error. Nothing moves in the file, and the old file stays whole for whoever else has a link to it.
"""

import os
import pathlib
import struct
import sys
import tempfile

# May be missing, as weak symbols are: never called where statx and the system call exist.
NEVER_CALLED = {"stat64", "fstat64", "lstat64", "fstatat64", "gettid"}
# In libraries before 2.34 these were elsewhere or had other versions; every one has them by this name.
ALWAYS_THERE = {
    "dlsym", "dlopen", "dlclose", "dlerror", "dladdr", "pthread_create", "pthread_join", "pthread_detach", "pthread_key_create",
    "pthread_key_delete", "pthread_setspecific", "pthread_getspecific", "pthread_getattr_np", "pthread_attr_getstack",
    "pthread_attr_setstacksize", "pthread_attr_getguardsize", "pthread_setname_np", "pthread_sigmask", "pthread_mutex_trylock",
    "pthread_mutexattr_init", "pthread_mutexattr_destroy", "pthread_mutexattr_settype",
}
DYNAMIC, DYNSYM, VERNEED, VERSYM = 6, 11, 0x6FFFFFFE, 0x6FFFFFFF
WITHOUT_VERSION, WEAK = 1, 2


def number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def text(content: bytes, start: int) -> str:
    return content[start : content.index(b"\0", start)].decode()


def elf_hash(name: str) -> int:
    value = 0
    for byte in name.encode():
        value = (value << 4) + byte
        value ^= (value & 0xF0000000) >> 24
        value &= 0x0FFFFFFF
    return value


def rebound(content: bytes, limit: tuple[int, ...]) -> bytes | None:
    """The file with its symbols rebound, or None when there is nothing to do."""
    if content[:6] != b"\x7fELF\x02\x01":
        raise ValueError("it is no 64-bit ELF file")
    (table,) = struct.unpack_from("<Q", content, 40)
    size, count = struct.unpack_from("<HH", content, 58)
    sections = [struct.unpack_from("<IIQQQQIIQQ", content, table + index * size) for index in range(count)]
    found = {section[1]: section for section in sections}
    if VERNEED not in found:
        return None
    symbols, needs, versions = found[DYNSYM], found[VERNEED], found[VERSYM]
    names = sections[symbols[6]][4]
    out = bytearray(content)
    newer, oldest, at = {}, {}, needs[4]
    while True:
        _, auxiliary_count, _, auxiliary, following = struct.unpack_from("<HHIII", content, at)
        place = at + auxiliary
        for _ in range(auxiliary_count):
            _, _, index, name, step = struct.unpack_from("<IHHII", content, place)
            version = text(content, names + name)
            if version.startswith("GLIBC_") and version != "GLIBC_PRIVATE":
                if number(version.removeprefix("GLIBC_")) > limit:
                    newer[index & 0x7FFF] = (place, at)
                else:
                    oldest.setdefault(at, name)
            place += step
        if following == 0:
            break
        at += following
    if not newer:
        return None
    for index in range(symbols[5] // 24):
        place = symbols[4] + index * 24
        name_at, info, _, section = struct.unpack_from("<IBBH", content, place)
        (version,) = struct.unpack_from("<H", content, versions[4] + index * 2)
        if section != 0 or version & 0x7FFF not in newer:
            continue
        name = text(content, names + name_at)
        if name in NEVER_CALLED:
            out[place + 4] = WEAK << 4 | info & 15
        elif name not in ALWAYS_THERE and info >> 4 != WEAK:
            raise ValueError(f"nothing is known of {name} in older libraries")
        struct.pack_into("<H", out, versions[4] + index * 2, WITHOUT_VERSION)
    # A version that nothing asks for any more becomes another one, which is asked for anyway.
    for place, need in newer.values():
        if need not in oldest:
            raise ValueError("it asks for no older version that could stand in")
        struct.pack_into("<I", out, place, elf_hash(text(content, names + oldest[need])))
        struct.pack_into("<I", out, place + 8, oldest[need])
    return bytes(out)


def main() -> int:
    limit = number(sys.argv[1])
    for path in map(pathlib.Path, sys.argv[2:]):
        try:
            new = rebound(path.read_bytes(), limit)
        except ValueError as error:
            sys.exit(f"rebind: {path}: {error}")
        if new is not None:
            with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
                file.write(new)
            os.chmod(file.name, path.stat().st_mode & 0o777)
            os.replace(file.name, path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
