//! A way to a PostgreSQL server that has faults: what goes over it goes on as it is, until the test wants otherwise.

use std::{sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// How long each piece takes on a slow way.
const DELAY: Duration = Duration::from_millis(15);
/// An answer of so many bytes has rows in it.
const WITH_ROWS: usize = 300;
/// What the server names when a connection is opened, in as many bytes.
const GREETING: &[u8] = b"server_version";

/// What becomes of what is sent.
#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    /// It goes on.
    Whole,
    /// It goes on, each piece after a while.
    Slow,
    /// It goes on when this is over.
    Stalled,
    /// The next commit goes on, and nothing comes back of it.
    LosesACommit,
    /// Of the next answer with rows a half comes back, and then nothing.
    CutsAnAnswer,
    /// Nothing goes on: who connects is hung up on.
    Cut,
}

/// The way.
pub struct Wire {
    /// The address of the database by this way.
    pub url: String,
    state: Arc<watch::Sender<State>>,
    cuts: watch::Sender<u32>,
}

impl Wire {
    /// A way to the database of this address.
    pub async fn to(url: &str) -> Self {
        let (head, rest) = url.split_once('@').unwrap();
        let (server, database) = rest.split_once('/').unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (state, cuts) = (Arc::new(watch::Sender::new(State::Whole)), watch::Sender::new(0));
        let wire = Self {
            url: format!("{head}@{address}/{database}"),
            state: state.clone(),
            cuts: cuts.clone(),
        };
        let server = server.to_owned();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (server, state, mut cut) = (server.clone(), state.clone(), cuts.subscribe());
                if *state.borrow() == State::Cut {
                    continue;
                }
                tokio::spawn(async move {
                    tokio::select! {
                        _ = carry(client, &server, &state) => {}
                        _ = cut.changed() => {}
                    }
                });
            }
        });
        wire
    }

    /// Cuts whatever is open, and lets nothing through any more.
    pub fn cut(&self) {
        self.state.send_replace(State::Cut);
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Lets everything through again, also what was held up.
    pub fn mend(&self) {
        self.state.send_replace(State::Whole);
    }

    /// Lets everything through after a while.
    pub fn slow_down(&self) {
        self.state.send_replace(State::Slow);
    }

    /// Holds everything up: nobody is hung up on, and nobody hears anything.
    pub fn stall(&self) {
        self.state.send_replace(State::Stalled);
    }

    /// The next commit is done, and nobody is told so.
    pub fn lose_the_next_commit(&self) {
        self.state.send_replace(State::LosesACommit);
    }

    /// The next answer with rows in it breaks off in the middle.
    pub fn cut_the_next_answer(&self) {
        self.state.send_replace(State::CutsAnAnswer);
    }

    /// Whether a commit was lost, or an answer cut, since.
    pub fn has_lost_it(&self) -> bool {
        *self.state.borrow() == State::Whole
    }
}

/// Carries bytes both ways, to the end of either side or of its patience.
async fn carry(mut client: TcpStream, server: &str, state: &watch::Sender<State>) -> std::io::Result<()> {
    let mut server = TcpStream::connect(server).await?;
    let (mut there, mut back) = ([0; 16_384], [0; 16_384]);
    loop {
        tokio::select! {
            read = client.read(&mut there) => {
                let sent = &there[..read?];
                if sent.is_empty() {
                    return Ok(());
                }
                let commits = sent.windows(6).any(|word| word == b"COMMIT");
                pass(state).await;
                server.write_all(sent).await?;
                if commits && *state.borrow() == State::LosesACommit {
                    // It is done once the server says so.
                    assert!(server.read(&mut back).await? > 0);
                    state.send_replace(State::Whole);
                    return Ok(());
                }
            }
            read = server.read(&mut back) => {
                let said = &back[..read?];
                if said.is_empty() {
                    return Ok(());
                }
                pass(state).await;
                // Only one of the connections cuts it, and none in what the server says of itself at first.
                let is_greeting = said.windows(GREETING.len()).any(|word| word == GREETING);
                let cuts = said.len() >= WITH_ROWS
                    && !is_greeting
                    && state.send_if_modified(|state| {
                        let cuts = *state == State::CutsAnAnswer;
                        if cuts {
                            *state = State::Whole;
                        }
                        cuts
                    });
                if cuts {
                    client.write_all(&said[..said.len() / 2]).await?;
                    return Ok(());
                }
                client.write_all(said).await?;
            }
        }
    }
}

/// Waits as long as the way makes one wait.
async fn pass(state: &watch::Sender<State>) {
    if *state.borrow() == State::Slow {
        tokio::time::sleep(DELAY).await;
    }
    let _ = state.subscribe().wait_for(|state| *state != State::Stalled).await;
}
