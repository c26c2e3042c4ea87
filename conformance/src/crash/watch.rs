//! Sees each change of the files that a client keeps and fills, at once: by inotify, where there
//! is one. Elsewhere no kill is planned at a file.

use std::path::Path;
use std::sync::Arc;

use super::Stopped;
use super::trap::Trap;

/// Whether changes of files are seen here.
pub const SEES: bool = cfg!(target_os = "linux");

/// Ends the watching when it is dropped.
pub struct Watch(#[allow(dead_code, reason = "it is there to be dropped")] imp::Watching);

/// Tells the trap of every change below a folder, but for locks.
///
/// # Errors
/// Where the system does not say.
pub fn below(folder: &Path, trap: &Arc<Trap>) -> Result<Watch, Stopped> {
    imp::below(folder, trap).map(Watch)
}

#[cfg(target_os = "linux")]
mod imp {
    use std::collections::BTreeMap;
    use std::mem::MaybeUninit;
    use std::os::fd::{AsFd as _, OwnedFd};
    use std::path::{Path, PathBuf};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread::JoinHandle;

    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};

    use super::{Stopped, Trap};

    /// How soon a watching ends that is over.
    const LOOK: Timespec = Timespec {
        tv_sec: 0,
        tv_nsec: 20_000_000,
    };

    /// A thread of its own, since it is to see a change before the next one is made.
    pub(super) struct Watching {
        over: Arc<AtomicBool>,
        thread: Option<JoinHandle<()>>,
    }

    impl Drop for Watching {
        fn drop(&mut self) {
            self.over.store(true, Ordering::SeqCst);
            if let Some(thread) = self.thread.take() {
                // A panic of the thread has been reported where it happened.
                let _ = thread.join();
            }
        }
    }

    struct Seen {
        /// What happened.
        flags: ReadFlags,
        /// Which folder.
        folder: i32,
        /// The file in it.
        name: String,
    }

    pub(super) fn below(folder: &Path, trap: &Arc<Trap>) -> Result<Watching, Stopped> {
        let fault = |fault: rustix::io::Errno| Stopped::system(fault.into());
        let descriptor =
            inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).map_err(fault)?;
        let mut folders = BTreeMap::new();
        add(&descriptor, folder, &mut folders);
        let (trap, root) = (Arc::clone(trap), folder.to_owned());
        let over = Arc::new(AtomicBool::new(false));
        let thread = std::thread::spawn({
            let over = Arc::clone(&over);
            move || {
                while !over.load(Ordering::SeqCst) {
                    let mut wanted = [PollFd::new(&descriptor, PollFlags::IN)];
                    if poll(&mut wanted, Some(&LOOK)).is_ok() {
                        tell(&descriptor, &root, &mut folders, &trap);
                    }
                }
            }
        });
        Ok(Watching {
            over,
            thread: Some(thread),
        })
    }

    fn tell(descriptor: &OwnedFd, root: &Path, folders: &mut BTreeMap<i32, PathBuf>, trap: &Trap) {
        for seen in read(descriptor) {
            let Some(place) = folders.get(&seen.folder).cloned() else {
                continue;
            };
            if seen.flags.contains(ReadFlags::ISDIR) {
                add(descriptor, &place.join(&seen.name), folders);
            } else if !seen.name.ends_with(".lock") {
                trap.file(&words(root, &place, &seen));
            }
        }
    }

    fn read(descriptor: &OwnedFd) -> Vec<Seen> {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut reader = Reader::new(descriptor.as_fd(), &mut buffer);
        let mut all = Vec::new();
        // It ends with an error once nothing is left.
        while let Ok(event) = reader.next() {
            let name = event.file_name().map(|name| name.to_string_lossy());
            all.push(Seen {
                flags: event.events(),
                folder: event.wd(),
                name: name.unwrap_or_default().into_owned(),
            });
        }
        all
    }

    /// Watches a folder and those in it.
    fn add(descriptor: &OwnedFd, folder: &Path, folders: &mut BTreeMap<i32, PathBuf>) {
        let flags = WatchFlags::CREATE
            | WatchFlags::MODIFY
            | WatchFlags::MOVED_TO
            | WatchFlags::DELETE
            | WatchFlags::ONLYDIR;
        if let Ok(number) = inotify::add_watch(descriptor, folder, flags) {
            folders.insert(number, folder.to_owned());
        }
        for found in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            if found.file_type().is_ok_and(|kind| kind.is_dir()) {
                add(descriptor, &found.path(), folders);
            }
        }
    }

    /// What happened where, in words that are the same in each run.
    fn words(root: &Path, folder: &Path, seen: &Seen) -> String {
        let below = folder.strip_prefix(root).unwrap_or(folder);
        let mut place: Vec<String> = below
            .iter()
            .map(|part| part.to_string_lossy().into_owned())
            .filter(|part| part.len() < 20 || part.contains('.'))
            .collect();
        let known = [
            "store",
            "store.key",
            "places.json",
            "stores.json",
            "manifests.json",
        ];
        place.push(match seen.name.as_str() {
            name if known.contains(&name) || name.ends_with(".env") => name.to_owned(),
            name if name.starts_with('.') => "a draft".to_owned(),
            _ => "one".to_owned(),
        });
        let what = match () {
            () if seen.flags.contains(ReadFlags::CREATE) => "begun",
            () if seen.flags.contains(ReadFlags::MOVED_TO) => "in place",
            () if seen.flags.contains(ReadFlags::DELETE) => "removed",
            () => "written",
        };
        format!("{} {what}", place.join("/"))
    }
}

#[cfg(not(target_os = "linux"))]
mod imp {
    use std::path::Path;
    use std::sync::Arc;

    use super::{Stopped, Trap};

    pub(super) struct Watching;

    pub(super) fn below(_: &Path, _: &Arc<Trap>) -> Result<Watching, Stopped> {
        Ok(Watching)
    }
}
