//! Who holds a lock, and when such an owner is provably gone (docs/file-lock.md sections 2 and 4).

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The content of a lock file. Text that could not be determined is empty and proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Owner {
    /// The process, in its own pid namespace.
    pub(crate) pid: u32,
    /// When it started, in clock ticks since boot; distinguishes it from a later one of the same
    /// pid.
    pub(crate) start_time: u64,
    /// The run of the kernel.
    pub(crate) boot_id: String,
    /// The namespace in which `pid` means something.
    pub(crate) pid_namespace: String,
    /// The namespace that offsets `start_time` (time_namespaces(7)).
    #[serde(default)]
    pub(crate) time_namespace: String,
    /// The host name.
    pub(crate) host: String,
    /// A digest of the machine id, which itself is not for publication (machine-id(5)).
    #[serde(default)]
    pub(crate) machine: String,
    /// Who exactly: 32 random hexadecimal digits, new for each lock.
    pub(crate) token: String,
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Another process wrote the host name: it must not play tricks on a terminal.
        let host: String = self.host.chars().filter(|c| !c.is_control()).collect();
        write!(f, "process {} on {host}", self.pid)
    }
}

/// The user to whom a file belongs: `user ann (1001)`.
#[cfg(unix)]
pub(crate) fn owner_of(metadata: &std::fs::Metadata) -> String {
    let user = std::os::unix::fs::MetadataExt::uid(metadata);
    // Whom other sources of names know (nsswitch.conf) is a number here.
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    match name_of(user, &users) {
        Some(name) => format!("user {name} ({user})"),
        None => format!("user {user}"),
    }
}

#[cfg(not(unix))]
pub(crate) fn owner_of(_metadata: &std::fs::Metadata) -> String {
    "another user".to_owned()
}

/// A line of passwd(5) is `name:password:user:group:...`.
#[cfg(unix)]
fn name_of(user: u32, passwd: &str) -> Option<&str> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == user.to_string()).then_some(name)
    })
}

/// What this process knows about itself and where it runs.
pub(crate) struct Myself {
    owner: Owner,
    /// Whether `/proc/<pid>` speaks of the same processes as `kill` does.
    proc_matches: bool,
}

impl Myself {
    /// This process, determined once: all of it stays the same for as long as the process id does.
    pub(crate) fn get() -> Arc<Self> {
        static CACHE: Mutex<Option<Arc<Myself>>> = Mutex::new(None);
        let pid = std::process::id();
        let mut cache = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
        match &*cache {
            // A forked child inherits the cache of its parent, and must not pass for it.
            Some(myself) if myself.owner.pid == pid => Arc::clone(myself),
            _ => {
                let myself = Arc::new(Self::determine(pid));
                *cache = Some(Arc::clone(&myself));
                myself
            }
        }
    }

    /// This process as the owner of a lock with `token`.
    pub(crate) fn with_token(&self, token: String) -> Owner {
        Owner {
            token,
            ..self.owner.clone()
        }
    }

    /// Whether the process that wrote `owner` certainly does not run any more. In doubt: no. Once
    /// true, it stays true, since no process comes back.
    pub(crate) fn proves_gone(&self, owner: &Owner) -> bool {
        let me = &self.owner;
        if owner.boot_id != me.boot_id {
            // The machine was started again since. A host name alone could be another machine's,
            // which shares the folder over a network.
            return !owner.boot_id.is_empty()
                && !me.boot_id.is_empty()
                && !me.machine.is_empty()
                && owner.machine == me.machine
                && owner.host == me.host;
        }
        if owner.pid_namespace != me.pid_namespace {
            return false;
        }
        if cfg!(target_os = "linux") {
            if me.boot_id.is_empty() || me.pid_namespace.is_empty() {
                return false;
            }
        } else if owner.host.is_empty() || owner.host != me.host {
            // Elsewhere the host name is all there is; see docs/file-lock.md section 5.
            return false;
        }
        // `kill` first: it knows processes that a /proc mounted with hidepid conceals.
        if !process_exists(owner.pid) {
            return true;
        }
        self.proc_matches
            && owner.time_namespace == me.time_namespace
            && Stat::read(&owner.pid.to_string())
                .is_some_and(|stat| stat.start_time != owner.start_time || stat.is_dead())
    }
}

#[cfg(target_os = "linux")]
impl Myself {
    fn determine(pid: u32) -> Self {
        let text = |path: &str| {
            std::fs::read_to_string(path).map_or(String::new(), |text| text.trim().to_owned())
        };
        let link = |path: &str| {
            std::fs::read_link(path).map_or(String::new(), |to| to.to_string_lossy().into_owned())
        };
        Self {
            owner: Owner {
                pid,
                start_time: Stat::read("self").map_or(0, |stat| stat.start_time),
                boot_id: text("/proc/sys/kernel/random/boot_id"),
                pid_namespace: link("/proc/self/ns/pid"),
                time_namespace: link("/proc/self/ns/time"),
                host: host_name(),
                machine: machine(&text("/etc/machine-id")),
                token: String::new(),
            },
            // After `unshare --pid` without a new /proc, `/proc/<pid>` is another process than
            // <pid>.
            proc_matches: link("/proc/self") == pid.to_string(),
        }
    }
}

#[cfg(not(target_os = "linux"))]
impl Myself {
    fn determine(pid: u32) -> Self {
        Self {
            owner: Owner {
                pid,
                start_time: 0,
                boot_id: String::new(),
                pid_namespace: String::new(),
                time_namespace: String::new(),
                host: host_name(),
                machine: machine(""),
                token: String::new(),
            },
            proc_matches: false,
        }
    }
}

/// machine-id(5) asks for a keyed digest before the id is shown to others.
fn machine(id: &str) -> String {
    if id.is_empty() || id == "uninitialized" {
        return String::new();
    }
    let digest = Sha256::digest(format!("connector-vault/1 machine\n{id}"));
    base16ct::lower::encode_string(&digest[..16])
}

#[cfg(unix)]
fn host_name() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}

#[cfg(not(unix))]
fn host_name() -> String {
    std::env::var("COMPUTERNAME").unwrap_or_default()
}

/// Whether there is such a process; in doubt, there is.
#[cfg(unix)]
fn process_exists(pid: u32) -> bool {
    let pid = i32::try_from(pid)
        .ok()
        .filter(|pid| *pid > 0)
        .and_then(rustix::process::Pid::from_raw);
    let Some(pid) = pid else { return true };
    rustix::process::test_kill_process(pid) != Err(rustix::io::Errno::SRCH)
}

#[cfg(not(unix))]
fn process_exists(_pid: u32) -> bool {
    true
}

/// What is of interest in `/proc/<pid>/stat` (proc_pid_stat(5)).
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    state: char,
    threads: u64,
    start_time: u64,
}

impl Stat {
    fn read(pid: &str) -> Option<Self> {
        Self::parse(&std::fs::read(format!("/proc/{pid}/stat")).ok()?)
    }

    fn parse(stat: &[u8]) -> Option<Self> {
        // Field 2 is the program's name in parentheses, which may hold anything, parentheses too.
        let end = stat.iter().rposition(|byte| *byte == b')')?;
        let fields: Vec<&str> = std::str::from_utf8(&stat[end + 1..])
            .ok()?
            .split_ascii_whitespace()
            .collect();
        let field = |number: usize| fields.get(number - 3).copied();
        Some(Self {
            state: field(3)?.chars().next()?,
            threads: field(20)?.parse().ok()?,
            start_time: field(22)?.parse().ok()?,
        })
    }

    /// A zombie only waits for its parent to notice. With more threads than itself it is a process
    /// whose first thread has ended and whose others still run.
    fn is_dead(&self) -> bool {
        matches!(self.state, 'Z' | 'X') && self.threads <= 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stat(line: &str) -> Option<Stat> {
        Stat::parse(line.as_bytes())
    }

    #[test]
    fn stat_lines() {
        let tail = "1 2 3 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 7 0 4711 0 0";
        let want = |state| {
            Some(Stat {
                state,
                threads: 7,
                start_time: 4711,
            })
        };
        assert_eq!(stat(&format!("12 (cvault) S {tail}")), want('S'));
        assert_eq!(stat(&format!("12 (a) Z (b c) R {tail}")), want('R'));
        assert_eq!(stat("12 (cvault) S 1 2 3"), None);
        assert_eq!(stat(""), None);
    }

    #[test]
    fn a_zombie_is_dead_only_without_other_threads() {
        let dead = |state, threads| {
            Stat {
                state,
                threads,
                start_time: 1,
            }
            .is_dead()
        };
        assert!(dead('Z', 1));
        assert!(!dead('Z', 2));
        assert!(!dead('S', 1));
    }

    #[cfg(unix)]
    #[test]
    fn names_of_users() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\nbroken\nann:x:1001:1001::/:\n";
        assert_eq!(name_of(1001, passwd), Some("ann"));
        assert_eq!(name_of(0, passwd), Some("root"));
        assert_eq!(name_of(1, passwd), None);
    }

    #[cfg(target_os = "linux")]
    mod proof {
        use super::*;

        fn gone(change: impl FnOnce(&mut Owner)) -> bool {
            let myself = Myself::get();
            let mut owner = myself.with_token("00".repeat(16));
            change(&mut owner);
            myself.proves_gone(&owner)
        }

        /// No process has this pid: it is above the kernel's PID_MAX_LIMIT of 2^22.
        const NOBODY: u32 = 1 << 30;

        #[test]
        fn a_running_process_is_not_gone() {
            assert!(!gone(|_| ()));
        }

        #[test]
        fn no_such_process() {
            assert!(gone(|owner| owner.pid = NOBODY));
        }

        #[test]
        fn a_process_id_that_was_used_again() {
            assert!(gone(|owner| owner.start_time += 1));
        }

        #[test]
        fn start_times_of_another_time_namespace_do_not_compare() {
            assert!(!gone(|owner| {
                owner.start_time += 1;
                owner.time_namespace = "time:[1]".into();
            }));
        }

        #[test]
        fn another_pid_namespace_proves_nothing() {
            assert!(!gone(|owner| {
                owner.pid = NOBODY;
                owner.pid_namespace = "pid:[1]".into();
            }));
        }

        #[test]
        fn another_host_proves_nothing() {
            assert!(!gone(|owner| {
                owner.pid = NOBODY;
                owner.boot_id = "another".into();
                owner.host = "another".into();
            }));
        }

        #[test]
        fn pids_that_are_no_process() {
            // 0 and negative ones address groups of processes in kill(2).
            assert!(!gone(|owner| owner.pid = 0));
            assert!(!gone(|owner| owner.pid = u32::MAX));
        }

        #[test]
        fn another_boot_of_the_same_machine() {
            let myself = Myself {
                owner: Owner {
                    machine: machine("0123"),
                    ..Myself::get().with_token(String::new())
                },
                proc_matches: true,
            };
            let mut owner = myself.with_token("00".repeat(16));
            owner.boot_id = "another".into();
            assert!(myself.proves_gone(&owner));
            owner.machine = machine("4567");
            assert!(!myself.proves_gone(&owner));
            owner.machine = String::new();
            assert!(!myself.proves_gone(&owner));
        }
    }
}
