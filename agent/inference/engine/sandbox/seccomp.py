"""The system calls that an engine never makes, refused by the Linux kernel: a short filter, assembled from a table."""

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Mapping, Sequence
from typing import TypeAlias

# number on x86_64, number on aarch64 (None: the call does not exist)
_Numbers: TypeAlias = tuple[int | None, int | None]

REFUSED: Mapping[str, _Numbers] = {
    # the network and the session bus: no socket of its own, and no talking through inherited ones
    **{"socket": (41, 198), "socketpair": (53, 199), "connect": (42, 203), "bind": (49, 200), "listen": (50, 201)},
    **{"accept": (43, 202), "accept4": (288, 242), "sendto": (44, 206), "sendmsg": (46, 211), "sendmmsg": (307, 269)},
    # programs and other processes
    **{"execve": (59, 221), "execveat": (322, 281), "fork": (57, None), "vfork": (58, None), "ptrace": (101, 117)},
    **{"process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "process_madvise": (440, 440), "kcmp": (312, 272)},
    **{"pidfd_open": (434, 434), "pidfd_getfd": (438, 438), "pidfd_send_signal": (424, 424), "tkill": (200, 130)},
    **{"process_mrelease": (448, 448)},
    **{"rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240), "setpriority": (141, 140), "ioprio_set": (251, 30)},
    **{"shmget": (29, 194), "shmat": (30, 196), "shmctl": (31, 195), "msgget": (68, 186), "semget": (64, 190), "mq_open": (240, 180)},
    # a queue or semaphore opens by its number, which is small and easy to guess, without permission
    **{"msgsnd": (69, 189), "msgrcv": (70, 188), "msgctl": (71, 187), "mq_unlink": (241, 181)},
    **{"semop": (65, 193), "semtimedop": (220, 192), "semctl": (66, 191)},
    # the kernel's keys
    **{"add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219)},
    # what Landlock leaves open: a file's owner, times, attributes; truncating by name; files by handle
    **{"chown": (92, None), "fchown": (93, 55), "lchown": (94, None), "fchownat": (260, 54)},
    **{"utime": (132, None), "utimes": (235, None), "futimesat": (261, None), "utimensat": (280, 88), "truncate": (76, 45)},
    **{"setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7), "setxattrat": (463, 463)},
    **{"removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16), "removexattrat": (466, 466)},
    **{"name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265), "file_setattr": (469, 469)},
    # extended attributes, readable by path: a file's origin, its owner's tags
    **{"getxattr": (191, 8), "lgetxattr": (192, 9), "listxattr": (194, 11), "llistxattr": (195, 12)},
    **{"getxattrat": (464, 464), "listxattrat": (465, 465)},
    # watching a folder, which reveals the names of its files
    **{"inotify_init": (253, None), "inotify_init1": (294, 26), "inotify_add_watch": (254, 27), "fanotify_init": (300, 262)},
    # the ways around a filter, and the kernel parts with the longest list of vulnerabilities
    **{"io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427)},
    **{"bpf": (321, 280), "userfaultfd": (323, 282), "perf_event_open": (298, 241), "personality": (135, 92)},
    # the system as a whole, in case the engine runs as root
    **{"unshare": (272, 97), "setns": (308, 268), "chroot": (161, 51), "pivot_root": (155, 41)},
    **{
        "mount": (165, 40),
        "umount2": (166, 39),
        "open_tree": (428, 428),
        "open_tree_attr": (467, 467),
        "move_mount": (429, 429),
        "fsopen": (430, 430),
    },
    **{"fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442)},
    **{"init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106), "kexec_load": (246, 104)},
    **{"kexec_file_load": (320, 294), "reboot": (169, 142), "swapon": (167, 224), "swapoff": (168, 225), "acct": (163, 89)},
    **{"syslog": (103, 116), "quotactl": (179, 60), "quotactl_fd": (443, 443), "settimeofday": (164, 170)},
    **{"clock_settime": (227, 112), "adjtimex": (159, 171), "clock_adjtime": (305, 266), "sethostname": (170, 161)},
    **{"setdomainname": (171, 162), "iopl": (172, None), "ioperm": (173, None), "mknod": (133, None), "mknodat": (259, 33)},
}
# Reported as done: OpenVINO sets the rights of its cache files, which are fine already, and gives up if that fails.
PRETENDED: Mapping[str, _Numbers] = {"chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452)}
# Starting a thread is this call too, and allowed.
_CLONE: _Numbers = (56, 220)
_CLONE3: _Numbers = (435, 435)
# Allowed only on this process itself; for calls where 0 means the caller, not a process group, also on 0.
_ON_ITSELF: Mapping[str, _Numbers] = {"kill": (62, 129), "tgkill": (234, 131)}
_ON_THE_CALLER: Mapping[str, _Numbers] = {
    "prlimit64": (302, 261),
    **{"sched_setaffinity": (203, 122), "sched_setscheduler": (144, 119), "sched_setparam": (142, 118), "sched_setattr": (314, 274)},
    **{"migrate_pages": (256, 238), "move_pages": (279, 239)},
}
# Calls with many functions, selected by their second argument: all but these.
EXCEPT: Mapping[str, tuple[_Numbers, tuple[int, ...]]] = {
    # F_SETOWN, F_SETSIG, F_SETOWN_EX: the kernel sends any signal to the declared owner of a pipe. F_SETLEASE blocks others from a file,
    # F_NOTIFY watches a folder.
    "fcntl": ((72, 25), (8, 10, 15, 1024, 1026)),
    # FIOSETOWN, SIOCSPGRP: as F_SETOWN. TIOCSTI, TIOCLINUX: types into a terminal. FS_IOC_SETFLAGS, FS_IOC_SETVERSION, FS_IOC_FSSETXATTR,
    # and the irreversible FS_IOC_ENABLE_VERITY: all of them only need a file opened for reading, as photos are.
    "ioctl": ((16, 29), (0x8901, 0x8902, 0x5412, 0x541C, 0x40086602, 0x40087602, 0x401C5820, 0x40806685)),
}

_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32 = 0x40000000  # from here on: the second way to make system calls on x86_64
_CLONE_THREAD = 0x10000

# Classic BPF and its possible answers.
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCH, _FIRST_ARGUMENT, _SECOND_ARGUMENT = 0, 4, 16, 24  # their lower halves: the kernel compares no more of them
_ALLOW, _KILL = 0x7FFF0000, 0x80000000
_PRETEND, _REFUSE, _UNKNOWN = 0x00050000, 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS

_SECCOMP = {"x86_64": 317, "aarch64": 277}
_SET_MODE_FILTER, _FLAG_TSYNC = 1, 1


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_char_p))


def assemble(machine: str, pid: int) -> bytes | None:
    """The filter for the process `pid` in the kernel's format; None for a processor missing from the table."""
    if machine not in _AUDIT_ARCH:
        return None
    column = 0 if machine == "x86_64" else 1
    steps = [_step(_LOAD, _ARCH), *_if(_EQUAL, _AUDIT_ARCH[machine], [], otherwise=[_step(_RETURN, _KILL)]), _step(_LOAD, _NUMBER)]
    if machine == "x86_64":
        steps += _if(_AT_LEAST, _X32, [_step(_RETURN, _UNKNOWN)])
    for number in REFUSED.values():
        steps += _if_call(number[column], [_step(_RETURN, _REFUSE)])
    for number in PRETENDED.values():
        steps += _if_call(number[column], [_step(_RETURN, _PRETEND)])
    # glibc tries clone3 first; if the kernel reports it missing, glibc uses clone, whose flags a filter can see.
    steps += _if_call(_CLONE3[column], [_step(_RETURN, _UNKNOWN)])
    steps += _if_call(_CLONE[column], [_step(_LOAD, _FIRST_ARGUMENT), *_if(_ANY_BIT, _CLONE_THREAD, [_ALLOWED]), _REFUSAL])
    for names, allowed in ((_ON_ITSELF, (pid,)), (_ON_THE_CALLER, (0, pid))):
        itself = [step for value in allowed for step in _if(_EQUAL, value, [_ALLOWED])]
        for number in names.values():
            steps += _if_call(number[column], [_step(_LOAD, _FIRST_ARGUMENT), *itself, _REFUSAL])
    for number, refused in EXCEPT.values():
        those = [step for value in refused for step in _if(_EQUAL, value, [_REFUSAL])]
        steps += _if_call(number[column], [_step(_LOAD, _SECOND_ARGUMENT), *those, _ALLOWED])
    return b"".join((*steps, _ALLOWED))


def install() -> bool:
    """Set the filter for all threads of this process, for good; False if the kernel has none. `no_new_privs` must be set."""
    machine = platform.machine()
    steps = assemble(machine, os.getpid())
    if steps is None:
        return False
    program = _Program(len(steps) // 8, steps)
    libc = ctypes.CDLL(None, use_errno=True)
    return bool(libc.syscall(_SECCOMP[machine], _SET_MODE_FILTER, _FLAG_TSYNC, ctypes.byref(program)) == 0)


def _step(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
    """One instruction: a comparison skips the next `then` or `otherwise` instructions."""
    return struct.pack("HBBI", code, then, otherwise, value)


_ALLOWED, _REFUSAL = _step(_RETURN, _ALLOW), _step(_RETURN, _REFUSE)


def _if(test: int, value: int, then: list[bytes], otherwise: Sequence[bytes] = ()) -> list[bytes]:
    """`then` if the loaded value passes the test, else `otherwise`. Only one of the two can be given."""
    return [_step(test, value, len(otherwise), len(then)), *then, *otherwise]


def _if_call(number: int | None, then: list[bytes]) -> list[bytes]:
    return [] if number is None else _if(_EQUAL, number, then)
