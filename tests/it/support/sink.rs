//! A mail server that takes every letter, slowly, and tells how far each is: so that whoever sends can be killed there.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, Sender, channel},
    },
    time::Duration,
};

use orgdesk::kernel::Random;

/// How far a letter is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// Its sender is connected.
    Connected,
    /// The recipient was named.
    Recipient,
    /// All of it is here, and its sender does not know yet.
    Taken,
    /// Its sender was told.
    Answered,
}

/// A letter as it came.
#[derive(Clone, Debug)]
pub struct Taken {
    /// To whom.
    pub to: String,
    /// Its `Message-ID`, without the angle brackets.
    pub message_id: String,
    /// The token of the link in it; none where it is no invitation.
    pub token: String,
}

/// A mail server on this machine.
pub struct Sink {
    /// Its port on 127.0.0.1.
    pub port: u16,
    taken: Arc<Mutex<Vec<Taken>>>,
    phases: Receiver<Phase>,
}

impl Sink {
    /// One that takes up to 30 milliseconds for each of its answers.
    pub fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let taken = Arc::new(Mutex::new(Vec::new()));
        let (tell, phases) = channel();
        let kept = taken.clone();
        std::thread::spawn(move || {
            let random = Random::seeded(7);
            for stream in listener.incoming().map_while(Result::ok) {
                let (kept, tell, random) = (kept.clone(), tell.clone(), random.clone());
                // A sender that is killed leaves a broken connection, and what it had not ended is no letter.
                std::thread::spawn(move || talk(stream, &kept, &tell, &random));
            }
        });
        Self { port, taken, phases }
    }

    /// The letters so far, the oldest first.
    pub fn taken(&self) -> Vec<Taken> {
        self.taken.lock().unwrap().clone()
    }

    /// Waits until a letter is as far as that; at most so long.
    pub async fn wait(&self, phase: Phase, patience: Duration) -> bool {
        let reached = async {
            loop {
                match self.phases.try_recv() {
                    Ok(told) if told == phase => break,
                    Ok(_) => {}
                    Err(_) => tokio::time::sleep(Duration::from_millis(1)).await,
                }
            }
        };
        tokio::time::timeout(patience, reached).await.is_ok()
    }

    /// Forgets how far letters were until now.
    pub fn forget(&self) {
        while self.phases.try_recv().is_ok() {}
    }
}

fn talk(stream: TcpStream, kept: &Mutex<Vec<Taken>>, tell: &Sender<Phase>, random: &Random) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    let mut stream = stream;
    let mut say = |text: &str| {
        std::thread::sleep(Duration::from_millis(random.below(30)));
        stream.write_all(format!("{text}\r\n").as_bytes()).ok()
    };
    tell.send(Phase::Connected).ok()?;
    say("220 sink")?;
    let mut to = String::new();
    while let Some(Ok(line)) = lines.next() {
        let verb = line.split([' ', ':']).next().unwrap_or_default().to_uppercase();
        match verb.as_str() {
            "RCPT" => {
                line.split(['<', '>']).nth(1)?.clone_into(&mut to);
                tell.send(Phase::Recipient).ok()?;
                say("250 OK")?;
            }
            "DATA" => {
                say("354 go on")?;
                let mut text = String::new();
                loop {
                    let line = lines.next()?.ok()?;
                    if line == "." {
                        break;
                    }
                    text.push_str(&line);
                    text.push_str("\r\n");
                }
                kept.lock().unwrap().push(Taken::read(&to, &text));
                tell.send(Phase::Taken).ok()?;
                say("250 taken")?;
                tell.send(Phase::Answered).ok()?;
            }
            "QUIT" => return say("221 bye"),
            _ => say("250 OK")?,
        }
    }
    Some(())
}

impl Taken {
    fn read(to: &str, text: &str) -> Self {
        let id = text
            .lines()
            .find_map(|line| line.strip_prefix("Message-ID: <"))
            .unwrap();
        let body = text.replace("=\r\n", "");
        // A notice has no link.
        let (_, token) = body.split_once("/invitation#").unwrap_or_default();
        Self {
            to: to.to_owned(),
            message_id: id.trim_end_matches('>').to_owned(),
            token: token.split_whitespace().next().unwrap_or_default().to_owned(),
        }
    }
}
