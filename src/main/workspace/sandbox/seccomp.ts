/**
 * A system-call filter for bubblewrap (`--seccomp`), as the kernel reads it: what namespaces and dropped capabilities
 * leave open. Everything not named here is allowed. Null on a processor whose numbers are not known here.
 */
export function seccompFilter(arch: NodeJS.Architecture): Buffer | null {
  const table = arch === 'x64' ? X64 : arch === 'arm64' ? ARM64 : null
  if (!table) return null
  const program: Instruction[] = [
    load(ARCH_OFFSET),
    jump(JEQ, table.audit, 1, 0),
    // 32-bit programs have other numbers, which would pass unseen.
    fail(ENOSYS),
    load(NR_OFFSET),
    jump(JGE, X32_BIT, 0, 1),
    fail(ENOSYS),
  ]
  // A C library that gets ENOSYS goes back to clone, whose flags can be looked at.
  program.push(jump(JEQ, CLONE3, 0, 1), fail(ENOSYS))
  for (const nr of table.denied) program.push(jump(JEQ, nr, 0, 1), fail(EPERM))
  // Flags that make namespaces; in clone the lowest byte is a signal, so the time namespace (0x80) is not among them.
  program.push(...onArgument(table.clone, 0, [jump(JSET, NEW_NAMESPACES, 0, 1), fail(EPERM)]))
  program.push(...onArgument(table.unshare, 0, [jump(JSET, NEW_NAMESPACES | NEW_TIME, 0, 1), fail(EPERM)]))
  // Typing into the terminal that the command runs in, and console functions.
  for (const request of [TIOCSTI, TIOCLINUX]) {
    program.push(...onArgument(table.ioctl, 1, [jump(JEQ, request, 0, 1), fail(EPERM)]))
  }
  // Sockets that a network namespace does not hold (to the machine's host, for one) are none of a command's business.
  const families = FAMILIES.map((family, i) => jump(JEQ, family, FAMILIES.length - i, 0))
  program.push(...onArgument(table.socket, 0, [...families, fail(EAFNOSUPPORT)]))
  program.push({ code: RET, jt: 0, jf: 0, k: ALLOW })
  const bytes = Buffer.alloc(program.length * 8)
  program.forEach(({ code, jt, jf, k }, i) => {
    bytes.writeUInt16LE(code, i * 8)
    bytes.writeUInt8(jt, i * 8 + 2)
    bytes.writeUInt8(jf, i * 8 + 3)
    bytes.writeUInt32LE(k >>> 0, i * 8 + 4)
  })
  return bytes
}

interface Instruction {
  code: number
  /** Instructions to skip when the condition holds, and when not. */
  jt: number
  jf: number
  k: number
}

/** Classic BPF: load a word of seccomp_data, compare it, return. */
const LOAD = 0x20
const JEQ = 0x15
const JGE = 0x35
const JSET = 0x45
const RET = 0x06
const NR_OFFSET = 0
const ARCH_OFFSET = 4
/** Six arguments of 8 bytes; of all that are looked at here the kernel itself reads the lower 4. */
const ARGS_OFFSET = 16
const ALLOW = 0x7fff0000
const ERRNO = 0x00050000

const EPERM = 1
const ENOSYS = 38
const EAFNOSUPPORT = 97
const X32_BIT = 0x40000000
const CLONE3 = 435
const TIOCSTI = 0x5412
const TIOCLINUX = 0x541c
/** mount, cgroup, uts, ipc, user, pid, net. */
const NEW_NAMESPACES = 0x7e020000
const NEW_TIME = 0x80
/** unix, inet, inet6, netlink. */
const FAMILIES = [1, 2, 10, 16]

const load = (offset: number): Instruction => ({ code: LOAD, jt: 0, jf: 0, k: offset })
const jump = (code: number, k: number, jt: number, jf: number): Instruction => ({ code, jt, jf, k })
const fail = (errno: number): Instruction => ({ code: RET, jt: 0, jf: 0, k: ERRNO | errno })

/** `body` with the argument loaded, for one call; after it the number is loaded again. */
function onArgument(nr: number, index: number, body: Instruction[]): Instruction[] {
  return [jump(JEQ, nr, 0, body.length + 2), load(ARGS_OFFSET + index * 8), ...body, load(NR_OFFSET)]
}

/** The same on both: the newer calls. io_uring could open sockets past the filter. */
const COMMON = [
  425,
  426,
  427, // io_uring_setup, _enter, _register
  428,
  429,
  430,
  431,
  432,
  433,
  442, // open_tree, move_mount, fsopen, fsconfig, fsmount, fspick, mount_setattr
]

const X64 = {
  audit: 0xc000003e,
  clone: 56,
  unshare: 272,
  ioctl: 16,
  socket: 41,
  denied: [
    ...COMMON,
    308,
    165,
    166,
    155,
    161, // setns, mount, umount2, pivot_root, chroot
    248,
    249,
    250, // add_key, request_key, keyctl: key rings are no part of any namespace
    321,
    323,
    304,
    103, // bpf, userfaultfd, open_by_handle_at, syslog
    246,
    320,
    175,
    313,
    176,
    163,
    167,
    168,
    169, // kexec, modules, acct, swap, reboot
    172,
    173, // iopl, ioperm
  ],
}

const ARM64 = {
  audit: 0xc00000b7,
  clone: 220,
  unshare: 97,
  ioctl: 29,
  socket: 198,
  denied: [
    ...COMMON,
    268,
    40,
    39,
    41,
    51, // setns, mount, umount2, pivot_root, chroot
    217,
    218,
    219, // add_key, request_key, keyctl
    280,
    282,
    265,
    116, // bpf, userfaultfd, open_by_handle_at, syslog
    104,
    294,
    105,
    273,
    106,
    89,
    224,
    225,
    142, // kexec, modules, acct, swap, reboot
  ],
}
