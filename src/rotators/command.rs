//! A program that makes keys: the order goes to its standard input, the answer comes from its standard output. There is no
//! shell, nothing in its environment, and it has a minute.

use std::{
    io::{Read, Write},
    process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio},
    thread,
    time::Duration,
};

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
    let running = async {
        let mut running = Running::start(command)?;
        let (stdin, stdout) = (running.0.stdin.take(), running.0.stdout.take());
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
    timeout(PATIENCE, running).await.unwrap_or(Err(RotateError::TooSlow))
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

/// A program that does not outlive being waited for.
struct Running(Child);

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
            .spawn();
        child.map(Self).map_err(|error| RotateError::NotRun(error.kind()))
    }

    async fn ended(&mut self) -> Result<ExitStatus, RotateError> {
        loop {
            match self.0.try_wait() {
                Ok(Some(status)) => return Ok(status),
                Ok(None) => sleep(BREATH).await,
                Err(error) => return Err(RotateError::NotRun(error.kind())),
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Of one that has ended both do nothing.
        let _ = self.0.kill();
        let _ = self.0.wait();
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
    async fn a_command_that_fails_or_says_too_much_has_made_nothing() {
        assert!(matches!(sh("echo x; exit 3", "").await, Err(RotateError::Failed(status)) if status.code() == Some(3)));
        assert!(matches!(sh("exec /usr/bin/yes", "").await, Err(RotateError::TooLarge)));
        let nowhere = run(&["/nowhere".to_owned()], String::new()).await;
        assert!(matches!(nowhere, Err(RotateError::NotRun(std::io::ErrorKind::NotFound))));
    }
}
