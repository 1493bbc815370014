//! A way to a PostgreSQL server that can be cut: what goes over it goes on as it is, until the test wants otherwise.

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// What becomes of what is sent.
#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    /// It goes on.
    Whole,
    /// The next commit goes on, and nothing comes back of it.
    LosesACommit,
    /// Nothing goes on: who connects is hung up on.
    Cut,
}

/// The way.
pub struct Wire {
    /// The address of the database by this way.
    pub url: String,
    state: Arc<Mutex<State>>,
    cuts: watch::Sender<u32>,
}

impl Wire {
    /// A way to the database of this address.
    pub async fn to(url: &str) -> Self {
        let (head, rest) = url.split_once('@').unwrap();
        let (server, database) = rest.split_once('/').unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (state, cuts) = (Arc::new(Mutex::new(State::Whole)), watch::Sender::new(0));
        let wire = Self {
            url: format!("{head}@{address}/{database}"),
            state: state.clone(),
            cuts: cuts.clone(),
        };
        let server = server.to_owned();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (server, state, mut cut) = (server.clone(), state.clone(), cuts.subscribe());
                if *state.lock().unwrap() == State::Cut {
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
        *self.state.lock().unwrap() = State::Cut;
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Lets everything through again.
    pub fn mend(&self) {
        *self.state.lock().unwrap() = State::Whole;
    }

    /// The next commit is done, and nobody is told so.
    pub fn lose_the_next_commit(&self) {
        *self.state.lock().unwrap() = State::LosesACommit;
    }

    /// Whether a commit was lost since.
    pub fn has_lost_it(&self) -> bool {
        *self.state.lock().unwrap() == State::Whole
    }
}

/// Carries bytes both ways, to the end of either side or of its patience.
async fn carry(mut client: TcpStream, server: &str, state: &Mutex<State>) -> std::io::Result<()> {
    let mut server = TcpStream::connect(server).await?;
    let (mut there, mut back) = ([0; 16_384], [0; 16_384]);
    loop {
        tokio::select! {
            read = client.read(&mut there) => {
                let sent = &there[..read?];
                if sent.is_empty() {
                    return Ok(());
                }
                server.write_all(sent).await?;
                let commits = sent.windows(6).any(|word| word == b"COMMIT");
                if commits && *state.lock().unwrap() == State::LosesACommit {
                    // It is done once the server says so.
                    assert!(server.read(&mut back).await? > 0);
                    *state.lock().unwrap() = State::Whole;
                    return Ok(());
                }
            }
            read = server.read(&mut back) => {
                let said = &back[..read?];
                if said.is_empty() {
                    return Ok(());
                }
                client.write_all(said).await?;
            }
        }
    }
}
