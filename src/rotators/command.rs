//! A program that makes keys: the order goes to its standard input, the answer comes from its standard output. There is no
//! shell, nothing in its environment, and it has a minute; whatever it has started by then ends with it.

use std::{
    io::{Read, Write},
    os::unix::process::CommandExt,
    process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio},
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    sync::oneshot,
    time::{sleep, timeout},
};
use zeroize::Zeroizing;

use super::{ANSWER_BYTES_MAX, RotateError};

/// How long it may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// How soon it is looked at again whether it has ended.
const BREATH: Duration = Duration::from_millis(10);

/// Runs it once, and gives what it wrote.
pub(super) async fn run(command: &[String], order: String) -> Result<Zeroizing<Vec<u8>>, RotateError> {
    run_for(PATIENCE, command, order).await
}

async fn run_for(patience: Duration, command: &[String], order: String) -> Result<Zeroizing<Vec<u8>>, RotateError> {
    let running = async {
        let mut running = Running::start(command)?;
        let (stdin, stdout) = (running.child.stdin.take(), running.child.stdout.take());
        let (sender, receiver) = oneshot::channel();
        // A thread of its own: should something that it started hold the pipe for ever, only this one waits for it, and
        // nobody who stops the server.
        thread::spawn(move || drop(sender.send(talk(stdin, stdout, &order))));
        let answer = receiver.await.map_err(|_| RotateError::Unreadable("end"))?;
        let answer = answer.map_err(|error| RotateError::NotRun(error.kind()))?;
        if answer.len() > ANSWER_BYTES_MAX {
            return Err(RotateError::TooLarge);
        }
        let status = running.ended().await?;
        if status.success() { Ok(answer) } else { Err(RotateError::Failed(status)) }
    };
    timeout(patience, running).await.unwrap_or(Err(RotateError::TooSlow))
}

fn talk(stdin: Option<ChildStdin>, stdout: Option<ChildStdout>, order: &str) -> std::io::Result<Zeroizing<Vec<u8>>> {
    if let Some(mut stdin) = stdin {
        // One that ends without reading it has its reason; what it says by its end counts.
        let _ = stdin.write_all(order.as_bytes());
    }
    // No key is left behind where this grows.
    let mut answer = Zeroizing::new(Vec::with_capacity(ANSWER_BYTES_MAX + 1));
    if let Some(stdout) = stdout {
        stdout.take(ANSWER_BYTES_MAX as u64 + 1).read_to_end(&mut answer)?;
    }
    Ok(answer)
}

/// A program that does not outlive being waited for, nor does what it has started.
struct Running {
    child: Child,
    has_ended: bool,
}

impl Running {
    fn start(command: &[String]) -> Result<Self, RotateError> {
        let (program, arguments) = command.split_first().ok_or(RotateError::Unknown)?;
        let child = Command::new(program)
            .args(arguments)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn();
        child.map(|child| Self { child, has_ended: false }).map_err(|error| RotateError::NotRun(error.kind()))
    }

    async fn ended(&mut self) -> Result<ExitStatus, RotateError> {
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => {
                    self.has_ended = true;
                    return Ok(status);
                }
                Ok(None) => sleep(BREATH).await,
                Err(error) => return Err(RotateError::NotRun(error.kind())),
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.has_ended {
            // Nobody else can have its number as long as nobody has waited for it.
            let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
            let _ = self.child.wait();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn sh(script: &str, order: &str) -> Result<String, RotateError> {
        let command = ["/bin/sh", "-c", script].map(str::to_owned);
        let answer = run(&command, order.to_owned()).await?;
        Ok(String::from_utf8(answer.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_command_is_given_the_order_and_nothing_else() {
        assert_eq!(sh("read -r order; echo \"got $order\"", "{\"order\":1}\n").await.unwrap(), "got {\"order\":1}\n");
        // What the shell itself sets is all there is.
        let told = sh("/usr/bin/env", "").await.unwrap();
        assert!(
            told.lines().all(|line| ["PWD=/", "OLDPWD", "SHLVL=", "_="].iter().any(|own| line.starts_with(own))),
            "{told}"
        );
    }

    #[tokio::test]
    async fn what_a_command_started_ends_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let late = folder.path().join("late");
        for script in ["(/bin/sleep 1; : > $0) & exec /bin/sleep 9", "(/bin/sleep 1; : > $0) & exit 0"] {
            let command = ["/bin/sh", "-c", script, late.to_str().unwrap()].map(str::to_owned);
            let told = run_for(Duration::from_millis(300), &command, String::new()).await;
            assert!(matches!(told, Err(RotateError::TooSlow)), "{script}");
        }
        sleep(Duration::from_millis(1500)).await;
        assert!(!late.exists());
    }

    #[tokio::test]
    async fn a_command_that_fails_or_says_too_much_has_made_nothing() {
        assert!(matches!(sh("echo x; exit 3", "").await, Err(RotateError::Failed(status)) if status.code() == Some(3)));
        assert!(matches!(sh("exec /usr/bin/yes", "").await, Err(RotateError::TooLarge)));
        let nowhere = run(&["/nowhere".to_owned()], String::new()).await;
        assert!(matches!(nowhere, Err(RotateError::NotRun(std::io::ErrorKind::NotFound))));
    }
}
