"""The system call filter of a sandbox: what Python programs need is allowed, all else is refused.

Refused are, among others: mount, chroot, ptrace, kernel keyrings, io_uring, bpf, new namespaces,
System V IPC and message queues (they outlive a process), modules, clocks, and sockets other than
local and internet ones. The numbers are Linux's, for x86-64 and 64-bit ARM.
"""

import ctypes
import errno
import platform
import struct

# name:x86-64:aarch64, from the kernel's headers.
ALLOWED = """
read:0:63 write:1:64 open:2: close:3:57 stat:4: fstat:5:80 lstat:6: poll:7: lseek:8:62
mmap:9:222 mprotect:10:226 munmap:11:215 brk:12:214 rt_sigaction:13:134 rt_sigprocmask:14:135
rt_sigreturn:15:139 ioctl:16:29 pread64:17:67 pwrite64:18:68 readv:19:65 writev:20:66 access:21:
pipe:22: select:23: sched_yield:24:124 mremap:25:216 msync:26:227 mincore:27:232 madvise:28:233
dup:32:23 dup2:33: pause:34: nanosleep:35:101 getitimer:36:102 alarm:37: setitimer:38:103
getpid:39:172 sendfile:40:71 socket:41:198 connect:42:203 accept:43:202 sendto:44:206
recvfrom:45:207 sendmsg:46:211 recvmsg:47:212 shutdown:48:210 bind:49:200 listen:50:201
getsockname:51:204 getpeername:52:205 socketpair:53:199 setsockopt:54:208 getsockopt:55:209
clone:56:220 fork:57: vfork:58: execve:59:221 exit:60:93 wait4:61:260 kill:62:129 uname:63:160
fcntl:72:25 flock:73:32 fsync:74:82 fdatasync:75:83 truncate:76:45 ftruncate:77:46 getdents:78:
getcwd:79:17 chdir:80:49 fchdir:81:50 rename:82: mkdir:83: rmdir:84: creat:85: link:86:
unlink:87: symlink:88: readlink:89: chmod:90: fchmod:91:52 chown:92: fchown:93:55 lchown:94:
umask:95:166 gettimeofday:96:169 getrlimit:97:163 getrusage:98:165 sysinfo:99:179 times:100:153
getuid:102:174 getgid:104:176 setuid:105:146 setgid:106:144 geteuid:107:175 getegid:108:177
setpgid:109:154 getppid:110:173 getpgrp:111: setsid:112:157 setreuid:113:145 setregid:114:143
getgroups:115:158 setgroups:116:159 setresuid:117:147 getresuid:118:148 setresgid:119:149
getresgid:120:150 getpgid:121:155 setfsuid:122:151 setfsgid:123:152 getsid:124:156 capget:125:90
rt_sigpending:127:136 rt_sigtimedwait:128:137 rt_sigqueueinfo:129:138 rt_sigsuspend:130:133
sigaltstack:131:132 utime:132: mknod:133: statfs:137:43 fstatfs:138:44 getpriority:140:141
sched_getparam:143:121 sched_getscheduler:145:120 sched_get_priority_max:146:125
sched_get_priority_min:147:126 sched_rr_get_interval:148:127 mlock:149:228 munlock:150:229
prctl:157:167 arch_prctl:158: setrlimit:160:164 sync:162:81 gettid:186:178 readahead:187:213
getxattr:191:8 lgetxattr:192:9 fgetxattr:193:10 listxattr:194:11 llistxattr:195:12
flistxattr:196:13 tkill:200:130 time:201: futex:202:98 sched_setaffinity:203:122
sched_getaffinity:204:123 epoll_create:213: getdents64:217:61 set_tid_address:218:96
restart_syscall:219:128 timer_create:222:107 timer_settime:223:110 timer_gettime:224:108
timer_getoverrun:225:109 timer_delete:226:111 clock_gettime:228:113 clock_getres:229:114
clock_nanosleep:230:115 exit_group:231:94 epoll_wait:232: epoll_ctl:233:21 tgkill:234:131
utimes:235: waitid:247:95 inotify_init:253: inotify_add_watch:254:27 inotify_rm_watch:255:28
openat:257:56 mkdirat:258:34 mknodat:259:33 fchownat:260:54 futimesat:261: newfstatat:262:79
unlinkat:263:35 renameat:264:38 linkat:265:37 symlinkat:266:36 readlinkat:267:78 fchmodat:268:53
faccessat:269:48 pselect6:270:72 ppoll:271:73 set_robust_list:273:99 get_robust_list:274:100
splice:275:76 tee:276:77 sync_file_range:277:84 utimensat:280:88 epoll_pwait:281:22
timerfd_create:283:85 eventfd:284: fallocate:285:47 timerfd_settime:286:86
timerfd_gettime:287:87 accept4:288:242 eventfd2:290:19 epoll_create1:291:20 dup3:292:24
pipe2:293:59 inotify_init1:294:26 preadv:295:69 pwritev:296:70 rt_tgsigqueueinfo:297:240
recvmmsg:299:243 prlimit64:302:261 syncfs:306:267 sendmmsg:307:269 getcpu:309:168
renameat2:316:276 getrandom:318:278 memfd_create:319:279 membarrier:324:283 mlock2:325:284
copy_file_range:326:285 preadv2:327:286 pwritev2:328:287 pkey_mprotect:329:288
pkey_alloc:330:289 pkey_free:331:290 statx:332:291 rseq:334:293 close_range:436:436
openat2:437:437 pidfd_open:434:434 faccessat2:439:439 epoll_pwait2:441:441 fchmodat2:452:452
"""

_ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}

_PR_SET_NO_NEW_PRIVS = 38
_PR_SET_SECCOMP = 22
_SECCOMP_MODE_FILTER = 2

# Offsets in struct seccomp_data.
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16

_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_ABOVE, _JUMP_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x25, 0x45, 0x06
_ALLOW, _KILL = 0x7FFF0000, 0x80000000

_NEW_NAMESPACES = 0x7E020000  # CLONE_NEWNS, CGROUP, UTS, IPC, USER, PID, NET
_THREAD = 0x00010000  # CLONE_THREAD
_WRITES = 0o1 | 0o2 | 0o100 | 0o1000 | 0o2000  # O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_APPEND
_TTY_INPUT = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX
_FAMILIES = (1, 2, 10)  # AF_UNIX, AF_INET, AF_INET6

# Without namespaces these would reach other processes or the file system, or outlive the program.
_OUTSIDE = frozenset(
    "fork vfork execve kill tkill rt_sigqueueinfo rt_tgsigqueueinfo pidfd_open socket connect bind"
    " rename renameat renameat2 mkdir mkdirat rmdir creat link linkat unlink unlinkat symlink"
    " symlinkat chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat truncate mknod mknodat"
    " openat2 utime utimes futimesat utimensat fallocate setpgid setsid sched_setaffinity".split()
)


def _numbers(column):
    """Name to number on this processor."""
    found = {}
    for entry in ALLOWED.split():
        name, *columns = entry.split(":")
        if columns[column]:
            found[name] = int(columns[column])
    return found


def filter_program(machine, namespaces):
    """BPF bytes for a processor; without namespaces the program may not start processes or write."""
    column, architecture = _ARCHITECTURES[machine]
    numbers = _numbers(column)
    code = []

    def emit(op, value, if_true=0, if_false=0):
        code.append(struct.pack("<HBBI", op, if_true, if_false, value))

    def refuse(error):
        return 0x00050000 | error

    def argument(number, index, test):
        """Looks at the low half of an argument, where the number matches; `test` must return."""
        body = code[:]
        del code[:]
        emit(_LOAD, _ARGUMENTS + 8 * index)
        test()
        block = code[:]
        code[:] = body
        emit(_JUMP_EQUAL, number, 0, len(block))
        code.extend(block)

    emit(_LOAD, _ARCHITECTURE)
    emit(_JUMP_EQUAL, architecture, 1, 0)
    emit(_RETURN, _KILL)
    emit(_LOAD, _NUMBER)

    def clone_flags():
        if namespaces:
            emit(_JUMP_ANY_BIT, _NEW_NAMESPACES, 0, 1)
            emit(_RETURN, refuse(errno.EPERM))
            emit(_RETURN, _ALLOW)
        else:
            emit(_JUMP_ANY_BIT, _THREAD, 0, 1)
            emit(_RETURN, _ALLOW)
            emit(_RETURN, refuse(errno.EPERM))

    def family():
        for allowed in _FAMILIES:
            emit(_JUMP_EQUAL, allowed, 0, 1)
            emit(_RETURN, _ALLOW)
        emit(_RETURN, refuse(errno.EAFNOSUPPORT))

    def no_tty_input():
        for command in _TTY_INPUT:
            emit(_JUMP_EQUAL, command, 0, 1)
            emit(_RETURN, refuse(errno.EPERM))
        emit(_RETURN, _ALLOW)

    def own_process():
        emit(_JUMP_EQUAL, 0, 0, 1)
        emit(_RETURN, _ALLOW)
        emit(_RETURN, refuse(errno.EPERM))

    def reading():
        emit(_JUMP_ANY_BIT, _WRITES, 0, 1)
        emit(_RETURN, refuse(errno.EROFS))
        emit(_RETURN, _ALLOW)

    argument(numbers["clone"], 0, clone_flags)
    argument(numbers["ioctl"], 1, no_tty_input)
    argument(numbers["prlimit64"], 0, own_process)
    argument(numbers["sched_setaffinity"], 0, own_process)
    if namespaces:
        argument(numbers["socket"], 0, family)
        argument(numbers["socketpair"], 0, family)
        refused = frozenset()
    else:
        argument(numbers["openat"], 2, reading)
        if "open" in numbers:
            argument(numbers["open"], 1, reading)
        refused = _OUTSIDE
    checked = {"clone", "ioctl", "prlimit64", "sched_setaffinity", "socket", "openat", "open"}
    if namespaces:
        checked -= {"openat", "open"}
        checked.add("socketpair")
    for low, high in _ranges(n for name, n in numbers.items() if name not in refused and name not in checked):
        emit(_JUMP_AT_LEAST, low, 0, 2)
        emit(_JUMP_ABOVE, high, 1, 0)
        emit(_RETURN, _ALLOW)
    # What the kernel does not have, libraries do without.
    emit(_RETURN, refuse(errno.ENOSYS))
    return b"".join(code)


def _ranges(numbers):
    ranges = []
    for number in sorted(numbers):
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ranges


def prepare_filter(namespaces):
    """Gives a function that puts the calling thread, and all it starts, under the filter for good."""
    program = filter_program(platform.machine(), namespaces)
    buffer = ctypes.create_string_buffer(program, len(program))
    head = struct.pack("HxxxxxxQ", len(program) // 8, ctypes.addressof(buffer))
    header = ctypes.create_string_buffer(head, len(head))
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def install(_keep=buffer):
        for request in ((_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, header, 0, 0)):
            if prctl(*request) != 0:
                raise OSError(ctypes.get_errno(), "prctl")

    return install
