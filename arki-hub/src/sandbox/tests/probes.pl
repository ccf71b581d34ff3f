# Forty-two ways out of a container, tried one after the other, each in a process of its own. A line each: what was
# tried, and "refused" or what happened instead. A system call counts as refused only where the kernel said EPERM,
# EACCES or ENOSYS: any other error means that it was let through to look at its (senseless) arguments.
use strict;
use Errno qw(EPERM EACCES ENOSYS);
$| = 1;
my $x86 = (POSIX_machine() eq 'x86_64');
sub POSIX_machine { open(my $f, '<', '/proc/sys/kernel/arch') or return 'x86_64'; my $m = <$f>; chomp $m; $m }
# numbers of x86_64 and of aarch64
my %number = (
    ptrace => [101, 117], process_vm_readv => [310, 270], process_vm_writev => [311, 271], io_uring_setup => [425, 425],
    io_uring_enter => [426, 426], keyctl => [250, 219], add_key => [248, 217], request_key => [249, 218],
    kcmp => [312, 272], pidfd_getfd => [438, 438], bpf => [321, 280], perf_event_open => [298, 241],
    userfaultfd => [323, 282], memfd_secret => [447, 447], vmsplice => [278, 75], fanotify_init => [300, 262],
    name_to_handle_at => [303, 264], open_by_handle_at => [304, 265], mount => [165, 40], umount2 => [166, 39],
    unshare => [272, 97], setns => [308, 268], clone => [56, 220], clone3 => [435, 435], chroot => [161, 51],
    pivot_root => [155, 41], init_module => [175, 105], delete_module => [176, 106], kexec_load => [246, 104],
    reboot => [169, 142], clock_settime => [227, 112], swapon => [167, 224], sethostname => [170, 161],
    socket => [41, 198], mknodat => [259, 33], setuid => [105, 146], move_mount => [429, 429], fsopen => [430, 430],
    quotactl => [179, 60], open_tree => [428, 428],
);
sub call {
    my ($name, @words) = @_;
    my $result = syscall($number{$name}[$x86 ? 0 : 1], @words);
    return 'refused' if $result == -1 && ($! == EPERM || $! == EACCES || $! == ENOSYS);
    return $result == -1 ? "reached: $!" : "LET THROUGH: $result";
}
sub writes {
    my ($path) = @_;
    open(my $f, '>>', $path) or return 'refused';
    return (syswrite($f, 'x') ? 'LET THROUGH' : 'refused');
}
my $z = 0;
my $buffer = "\0" x 4096;
my @probes = (
    ['ptrace: trace me' => sub { call('ptrace', 0, $z, $z, $z) }],
    ['ptrace: attach to process 1' => sub { call('ptrace', 16, 1, $z, $z) }],
    ['process_vm_readv' => sub { call('process_vm_readv', 1, $buffer, 1, $buffer, 1, $z) }],
    ['process_vm_writev' => sub { call('process_vm_writev', 1, $buffer, 1, $buffer, 1, $z) }],
    ['io_uring_setup' => sub { call('io_uring_setup', 4, $buffer) }],
    ['io_uring_enter' => sub { call('io_uring_enter', 0, 1, 0, 0, $z, $z) }],
    ['keyctl: session keyring' => sub { call('keyctl', 0, -3, 0) }],
    ['add_key' => sub { call('add_key', "user", "arki", "x", 1, -3) }],
    ['request_key' => sub { call('request_key', "user", "arki", $z, -3) }],
    ['kcmp' => sub { call('kcmp', $$, $$, 0, 0, 0) }],
    ['pidfd_getfd' => sub { call('pidfd_getfd', 0, 0, 0) }],
    ['bpf: make a map' => sub { call('bpf', 0, $buffer, 64) }],
    ['perf_event_open' => sub { call('perf_event_open', $buffer, 0, -1, -1, 0) }],
    ['userfaultfd' => sub { call('userfaultfd', 0) }],
    ['memfd_secret' => sub { call('memfd_secret', 0) }],
    ['vmsplice' => sub { call('vmsplice', 1, $buffer, 0, 0) }],
    ['fanotify_init' => sub { call('fanotify_init', 0, 0) }],
    ['name_to_handle_at' => sub { call('name_to_handle_at', -100, "/", $buffer, $buffer, 0) }],
    ['open_by_handle_at' => sub { call('open_by_handle_at', -100, $buffer, 0) }],
    ['mount: a tmpfs' => sub { call('mount', "none", "/tmp", "tmpfs", 0, $z) }],
    ['umount2: what hides /proc/kcore' => sub { call('umount2', "/proc/kcore", 0) }],
    ['move_mount' => sub { call('move_mount', -100, "/tmp", -100, "/run", 0) }],
    ['fsopen' => sub { call('fsopen', "tmpfs", 0) }],
    ['open_tree' => sub { call('open_tree', -100, "/", 1) }],
    ['unshare: a user namespace' => sub { call('unshare', 0x10000000) }],
    ['setns' => sub { open(my $f, '<', '/proc/1/ns/mnt') or return 'refused'; call('setns', fileno($f), 0) }],
    ['clone: a user namespace' => sub { call('clone', 0x10000000 | 17, 0, 0, 0, 0) }],
    ['clone3' => sub { call('clone3', $buffer, 88) }],
    ['chroot' => sub { call('chroot', "/tmp") }],
    ['pivot_root' => sub { call('pivot_root', "/tmp", "/tmp") }],
    ['init_module' => sub { call('init_module', $buffer, 4096, "") }],
    ['kexec_load' => sub { call('kexec_load', 0, 0, $z, 0) }],
    ['reboot' => sub { call('reboot', 0xfee1dead, 672274793, 0, $z) }],
    ['clock_settime' => sub { call('clock_settime', 0, $buffer) }],
    ['socket: AF_VSOCK' => sub { call('socket', 40, 1, 0) }],
    ['socket: AF_PACKET' => sub { call('socket', 17, 3, 0) }],
    ['socket: AF_ALG' => sub { call('socket', 38, 5, 0) }],
    ['socket: a raw one' => sub { call('socket', 2, 3, 1) }],
    ['mknod: a disk' => sub { call('mknodat', -100, "/tmp/disk", 060660, 0x0800) }],
    ['setuid: root' => sub { call('setuid', 0) }],
    ['write: the image, core_pattern, sysrq' => sub {
        for my $path ('/etc/passwd', '/usr/bin/x', '/proc/sys/kernel/core_pattern', '/proc/sysrq-trigger', '/sys/kernel/uevent_helper') {
            return "LET THROUGH: $path" if writes($path) ne 'refused';
        }
        'refused'
    }],
    ['execute: from a place to write' => sub {
        open(my $f, '>', '/tmp/x') or return 'LET THROUGH: cannot write';
        print $f "#!/bin/sh\necho here\n"; close $f; chmod 0755, '/tmp/x';
        exec('/tmp/x') or return 'refused';
    }],
);
print scalar(@probes), " probes as ", $<, "\n";
for my $probe (@probes) {
    my ($name, $try) = @$probe;
    pipe(my $reader, my $writer);
    my $child = fork();
    if ($child == 0) {
        close $reader;
        my $said = $try->();
        syswrite($writer, $said);
        exit 0;
    }
    close $writer;
    my $said = <$reader>;
    waitpid($child, 0);
    print "$name: ", (defined $said ? $said : 'LET THROUGH: no word came back'), "\n";
}
