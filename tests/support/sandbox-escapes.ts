/** Prints ESCAPED when the body of a Python script gets to its end. */
const py = (body: string): string => `/usr/bin/python3 -c '
import os,sys,socket,ctypes
libc=ctypes.CDLL(None,use_errno=True)
${body}
print("ESCAPED")'`
/** Prints ESCAPED when the command succeeds. */
const sh = (command: string): string => `{ ${command}; } && echo ESCAPED`

/**
 * Attempts to get out. Each has a sentence what it is, and a script that prints ESCAPED when it worked; what it would
 * have changed outside is looked at as well. Variables: $OUT a folder of the user outside, $WS the workspace, $HM the
 * home folder, $PID a process outside, $PORT a server on this machine's loopback, $UDP the same for datagrams,
 * $ABSTRACT the name of an abstract socket, $DATA the data folder, $TMPSOCK a socket in the system's /tmp.
 */
export const ESCAPES: readonly (readonly [name: string, script: string])[] = [
  // Writing outside.
  ['writes by an absolute path', sh('echo x > $OUT/planted')],
  ['appends to an existing file', sh('echo x >> $OUT/file.txt')],
  ['writes by ..', sh('echo x > $WS/../out/planted')],
  ['writes through a link in the workspace', sh('ln -s $OUT link1 && echo x > link1/planted')],
  ['writes through a hard link', sh('ln $OUT/file.txt hard && echo x > hard')],
  ['moves a file out', sh('echo x > a && mv a $OUT/planted')],
  ['moves an outside file in', sh('mv $OUT/file.txt stolen')],
  ['rename across mounts by system call', py('os.rename(os.environ["OUT"]+"/file.txt", "stolen2")')],
  ['deletes outside', sh('rm -f $OUT/file.txt')],
  ['changes modes outside', sh('chmod 777 $OUT/file.txt')],
  ['makes an unnamed file outside', py('os.open(os.environ["OUT"], os.O_TMPFILE|os.O_RDWR)')],
  ['opens for writing by /proc/self/root', sh('echo x > /proc/self/root$OUT/planted')],
  [
    'opens for writing by a descriptor of a folder',
    py('d=os.open(os.environ["OUT"],os.O_RDONLY)\nos.open("planted",os.O_CREAT|os.O_WRONLY,dir_fd=d)'),
  ],
  [
    'reopens a read-only descriptor for writing',
    py('f=os.open(os.environ["OUT"]+"/file.txt",os.O_RDONLY)\nos.write(os.open("/proc/self/fd/%d"%f,os.O_RDWR),b"x")'),
  ],
  ['truncates by path', py('os.truncate(os.environ["OUT"]+"/file.txt",0)')],
  ['sets times outside', sh('touch $OUT/file.txt')],
  ['writes extended attributes outside', py('os.setxattr(os.environ["OUT"]+"/file.txt","user.x",b"1")')],
  [
    'exchanges a folder of the workspace for a link while writing',
    sh(
      'mkdir -p swap; (for i in 1 2 3 4 5 6 7 8 9; do rm -rf swap; ln -s $OUT swap; rm -f swap; mkdir swap; done) & for i in 1 2 3 4 5 6 7 8 9; do echo x > swap/planted; done; wait; [ -e $OUT/planted ]',
    ),
  ],
  ['leads TMPDIR outside', sh('TMPDIR=$OUT mktemp')],
  ['leaves something in the shared memory', sh('echo x > /dev/shm/sandbox-leak; false')],
  ['leaves something in the system’s /tmp', sh('echo x > /tmp/sandbox-leak; false')],
  // Processes.
  ['reads the root of process 1', sh('cat /proc/1/root$HM/.ssh/id_rsa')],
  ['reads the environment of a process outside', sh('grep -a OUTER /proc/$PID/environ')],
  ['reads the memory of a process outside', py('open("/proc/%s/mem"%os.environ["PID"],"rb").seek(0)')],
  ['reads the open files of a process outside', sh('ls /proc/$PID/fd')],
  ['attaches to a process outside', py('assert libc.ptrace(16,int(os.environ["PID"]),0,0)==0')],
  ['attaches with gdb', sh('gdb -p $PID -batch -ex "info proc" 2>/dev/null | grep -q "^process"')],
  ['kills a process outside', sh('kill -9 $PID')],
  ['kills everything', sh('(trap "" TERM; kill -TERM -1); false')],
  ['finds processes outside', sh('grep -al outer-proces[s] /proc/[0-9]*/cmdline')],
  ['enters namespaces of a process outside', sh('nsenter -t $PID -a true')],
  [
    'reads memory across processes',
    py('v=(ctypes.c_size_t*2)(0,1)\nassert libc.process_vm_readv(int(os.environ["PID"]),v,1,v,1,0)>=0'),
  ],
  // Sockets.
  [
    'docker socket in the home folder',
    py('socket.socket(socket.AF_UNIX).connect(os.environ["HM"]+"/.docker/run/docker.sock")'),
  ],
  ['agent socket outside', py('socket.socket(socket.AF_UNIX).connect(os.environ["OUT"]+"/agent.sock")')],
  ['agent socket in the workspace', py('socket.socket(socket.AF_UNIX).connect(os.environ["WS"]+"/agent.sock")')],
  ['X11 socket in /tmp', py('socket.socket(socket.AF_UNIX).connect(os.environ["TMPSOCK"])')],
  ['socket by a link', sh('ln -sf $OUT/agent.sock mysock && socat -u OPEN:/dev/null UNIX-CONNECT:mysock')],
  ['system bus and docker below /run', sh('ls -A /run /var/run | grep -v : | grep -v "^ml-intern$" | grep -q .')],
  ['abstract socket', py('socket.socket(socket.AF_UNIX).connect("\\0"+os.environ["ABSTRACT"])')],
  ['socket to the machine’s host', py('socket.socket(40,socket.SOCK_STREAM)')],
  // Network.
  ['server on this machine', py('socket.create_connection(("127.0.0.1",int(os.environ["PORT"])),2)')],
  ['server on this machine by IPv6', py('socket.create_connection(("::1",int(os.environ["PORT"])),2)')],
  ['direct TCP', py('socket.create_connection(("1.1.1.1",443),2)')],
  ['direct UDP', py('socket.socket(socket.AF_INET,socket.SOCK_DGRAM).sendto(b"x",("1.1.1.1",53))')],
  [
    'UDP to this machine',
    `${py('socket.socket(socket.AF_INET,socket.SOCK_DGRAM).sendto(b"x",("127.0.0.1",int(os.environ["UDP"])))')} | grep -v ESCAPED`,
  ],
  ['DNS', py('socket.getaddrinfo("huggingface.co",443)')],
  ['ICMP', py('socket.socket(socket.AF_INET,socket.SOCK_DGRAM,1).sendto(b"\\x08\\0\\0\\0\\0\\0\\0\\0",("1.1.1.1",0))')],
  ['raw socket', py('socket.socket(socket.AF_INET,socket.SOCK_RAW,6)')],
  ['packet socket', py('socket.socket(17,socket.SOCK_RAW)')],
  ['makes a network interface', sh('ip link add dummy0 type dummy')],
  // Privileges and namespaces.
  ['su', sh('su -c "echo x > $OUT/planted" </dev/null')],
  ['set-user-id program', sh('cp /bin/sh s && chmod 4755 s && ./s -pc "echo x > $OUT/planted"')],
  ['own user namespace', sh('unshare -r true')],
  [
    'own user namespace by clone',
    py('assert libc.syscall(56 if os.uname().machine=="x86_64" else 220,0x10000011,0,0,0,0)>=0'),
  ],
  ['own user namespace by clone3', py('b=(ctypes.c_uint64*11)(0x10000000)\nb[4]=17\nassert libc.syscall(435,b,88)>=0')],
  ['mounts', sh('mount -t tmpfs none $WS')],
  ['remounts writable', sh('mount -o remount,rw /')],
  ['takes a mask away', sh('umount $HM/.ssh')],
  ['new mount calls', py('assert libc.syscall(428,-100,b"/",1)>=0')],
  ['chroot', sh('chroot / true')],
  ['makes a device', sh('mknod dev b 254 0')],
  [
    'reads memory, disk, kernel log',
    sh('head -c1 /dev/mem || head -c1 /dev/kmsg || head -c1 /dev/vda || head -c1 /dev/sda'),
  ],
  [
    'kernel log by system call',
    py('assert libc.syscall(103 if os.uname().machine=="x86_64" else 116,3,ctypes.create_string_buffer(99),99)>=0'),
  ],
  ['key rings', py('assert libc.syscall(250 if os.uname().machine=="x86_64" else 219,0,-3,1)>=0')],
  ['io_uring', py('assert libc.syscall(425,1,ctypes.create_string_buffer(200))>=0')],
  ['types into the terminal', py('import fcntl,pty\nm,s=pty.openpty()\nfcntl.ioctl(s,0x5412,b"x")')],
  ['kernel settings', py('os.open("/proc/sys/kernel/core_pattern",os.O_WRONLY)')],
  ['kernel keys', py('os.open("/proc/sysrq-trigger",os.O_WRONLY)')],
  ['sysfs', sh('echo 1 > /sys/kernel/uevent_helper || echo 0 > /sys/class/net/lo/mtu')],
  ['cgroups', sh('mkdir /sys/fs/cgroup/escape || mkdir /sys/fs/cgroup/pids/escape')],
  ['has capabilities', sh('grep -q "CapEff:.*[1-9a-f]" /proc/self/status')],
  ['may gain rights', sh('grep -q "NoNewPrivs:.*0" /proc/self/status')],
  ['dumps memory', sh('[ "$(ulimit -c)" != 0 ]')],
  ['finds open descriptors', sh('ls /proc/self/fd | grep -v "^[0-3]$" | grep -q .')],
  ['finds the environment of the app', sh('env | grep OUTER_SECRET')],
  ['preload for everybody', sh('echo /tmp/x.so > /etc/ld.so.preload')],
  // What others act on.
  ['plants a hook', sh('echo "#!/bin/sh" > .git/hooks/planted')],
  ['changes the settings of git', sh('git config core.fsmonitor evil')],
  ['writes the settings of git', sh('echo "[core]fsmonitor=evil" >> .git/config')],
  ['exchanges the settings of git', sh('cp .git/config c && mv -f c .git/config')],
  ['links and writes the settings of git', sh('ln .git/config hard2 && echo evil >> hard2')],
  ['exchanges the folder of hooks', sh('mv .git/hooks .git/h2 && mkdir .git/hooks')],
  ['leads git to other settings', sh('echo ../evil > .git/commondir; false')],
  ['moves .git away', sh('mv .git .git2')],
  ['exchanges .git for a link', sh('rm -rf .git/hooks .git; mkdir evil; ln -s evil .git; [ -L .git ]')],
  [
    'makes .vscode',
    sh('echo x > .vscode/tasks.json || { rmdir .vscode && mkdir .vscode && echo x > .vscode/tasks.json; }'),
  ],
  ['makes .ml-intern', sh('mkdir -p .ml-intern && echo x > .ml-intern/config.json')],
  ['makes .envrc', sh('echo x > .envrc')],
  ['writes shell start-up files', sh('echo x >> $HM/.bashrc')],
  // Secrets.
  ['reads ssh keys', sh('cat $HM/.ssh/id_rsa')],
  ['lists ssh keys', sh('ls $HM/.ssh')],
  ['makes the mask readable', sh('chmod 700 $HM/.ssh')],
  ['reads cloud credentials', sh('cat $HM/.aws/credentials')],
  ['reads the Hub token', sh('cat $HM/.cache/huggingface/token')],
  ['reads .netrc by a link', sh('ln -s $HM/.netrc n && cat n')],
  ['copies .netrc by a hard link', sh('ln $HM/.netrc n2 && cat n2')],
  ['reads cookies', sh('cat $HM/.mozilla/cookies')],
  ['reads shell history', sh('cat $HM/.bash_history')],
  ['reads the passwords of the system', sh('cat /etc/shadow')],
  ['reads our data folder', sh('cat $DATA/secret')],
  ['reads .env of the workspace', sh('cat $WS/.env')],
  ['moves .env of the workspace away', sh('mv .env e && cat e')],
  ['searches everything for secrets', sh('grep -rs TOPSECRET $HM $WS $DATA')],
]
