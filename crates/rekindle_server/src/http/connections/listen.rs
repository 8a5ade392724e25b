//! Where the server listens: loopback on both families unless told otherwise (rule S5), on the wanted or the next free port.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use thiserror::Error;
use tokio::net::{TcpListener, TcpSocket, lookup_host};

use rekindle_config::ServerConfig;

/// How many ports are tried after the wanted one.
const TRIES: u16 = 100;
/// Bytes that the system buffers for a client that has not read them yet.
const SEND_BUFFER: u32 = 256 * 1024;
/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1024;

/// Open listeners and what they mean.
#[derive(Debug)]
pub struct BoundListeners {
    pub listeners: Vec<TcpListener>,
    pub port: u16,
    /// Other machines can reach us.
    pub exposed: bool,
    /// The name given as host, when it is a name: one more that the Host header may hold.
    pub name: Option<String>,
    /// Addresses for this machine, without base and key: `http://localhost:5173`.
    pub local: Vec<String>,
    /// Addresses for other machines.
    pub network: Vec<String>,
}

#[derive(Debug, Error)]
pub enum ListenError {
    #[error("port {port} is already in use{}", owner.as_ref().map_or(String::new(), |owner| format!(" by {owner}")))]
    PortTaken { port: u16, owner: Option<String> },
    #[error("cannot find the host {host}")]
    UnknownHost { host: String },
    #[error("cannot listen on {address}: {error}")]
    Refused { address: SocketAddr, error: io::Error },
}

/// Opens the listeners. With `strict_port` the wanted port or an error, otherwise the next free one; port 0 is any.
pub async fn listen(config: &ServerConfig) -> Result<BoundListeners, ListenError> {
    let addresses = addresses(config.host.as_deref()).await?;
    let mut port = config.port;
    loop {
        match bind_all(&addresses, port).await {
            Ok(listeners) => return Ok(describe(config, &addresses, listeners)),
            Err(ListenError::PortTaken { .. }) if port == 0 => {}
            Err(ListenError::PortTaken { .. }) if !config.strict_port && port < config.port.saturating_add(TRIES) => {
                port += 1
            }
            Err(error) => return Err(error),
        }
    }
}

/// The addresses to bind, the one that must succeed first.
async fn addresses(host: Option<&str>) -> Result<Vec<IpAddr>, ListenError> {
    let loopback = || vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    let Some(host) = host.filter(|host| !host.is_empty() && *host != "localhost") else {
        return Ok(loopback());
    };
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    match address {
        // Browsers try ::1 for `localhost` first; somebody else's server must not be what they find there.
        Ok(IpAddr::V4(Ipv4Addr::UNSPECIFIED)) => Ok(vec![Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::LOCALHOST.into()]),
        Ok(address) => Ok(vec![address]),
        Err(_) => {
            let unknown = || ListenError::UnknownHost { host: host.to_owned() };
            let mut found: Vec<IpAddr> =
                lookup_host((host, 0)).await.map_err(|_| unknown())?.map(|address| address.ip()).collect();
            found.dedup();
            if found.is_empty() { Err(unknown()) } else { Ok(found) }
        }
    }
}

async fn bind_all(addresses: &[IpAddr], port: u16) -> Result<Vec<TcpListener>, ListenError> {
    let mut port = port;
    let mut listeners: Vec<TcpListener> = Vec::new();
    for &address in addresses {
        let address = SocketAddr::new(address, port);
        match bind(address).await {
            Ok(listener) => {
                port = listener.local_addr().map_err(|error| ListenError::Refused { address, error })?.port();
                listeners.push(listener);
            }
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                let owner = owner_of(port);
                return Err(ListenError::PortTaken { port, owner });
            }
            // A machine without IPv6 is served on what it has.
            Err(_) if !listeners.is_empty() => {}
            Err(error) => return Err(ListenError::Refused { address, error }),
        }
    }
    Ok(listeners)
}

async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    // Elsewhere a loopback address can be bound although somebody listens on all addresses, and requests would go to
    // either of the two. Linux refuses this by itself.
    if !cfg!(target_os = "linux") && address.ip().is_loopback() && address.port() != 0 {
        let knock = tokio::net::TcpStream::connect(address);
        if let Ok(Ok(_)) = tokio::time::timeout(std::time::Duration::from_millis(100), knock).await {
            return Err(io::ErrorKind::AddrInUse.into());
        }
    }
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    // Connections inherit it. Left to itself the system takes megabytes for each client that does not read, and copying
    // those keeps others waiting.
    let _ = socket.set_send_buffer_size(SEND_BUFFER);
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

fn describe(config: &ServerConfig, addresses: &[IpAddr], listeners: Vec<TcpListener>) -> BoundListeners {
    let host = config.host.as_deref();
    let scheme = if config.https.is_some() { "https" } else { "http" };
    let port = listeners.iter().find_map(|listener| listener.local_addr().ok()).map_or(0, |address| address.port());
    let name = host.filter(|host| {
        host.trim_matches(['[', ']']).parse::<IpAddr>().is_err() && *host != "localhost" && !host.is_empty()
    });
    let exposed = addresses.iter().any(|address| !address.is_loopback());
    let everywhere = addresses.iter().any(IpAddr::is_unspecified);
    let url = |host: String| format!("{scheme}://{host}:{port}");
    let as_host = |address: &IpAddr| match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    };
    let mut local = Vec::new();
    if everywhere || addresses.iter().any(IpAddr::is_loopback) {
        local.push(url("localhost".into()));
    }
    let mut network: Vec<String> = if everywhere {
        own_addresses().iter().map(|address| url(as_host(address))).collect()
    } else {
        addresses.iter().filter(|address| !address.is_loopback()).map(|address| url(as_host(address))).collect()
    };
    if let Some(name) = name {
        let urls = if exposed { &mut network } else { &mut local };
        urls.insert(0, url(name.to_owned()));
    }
    BoundListeners { listeners, port, exposed, name: name.map(str::to_owned), local, network }
}

/// The addresses by which this machine would speak to others. Connecting a UDP socket sends nothing; it only asks the
/// system for the way (the targets are reserved for documentation, RFC 5737 and RFC 3849).
fn own_addresses() -> Vec<IpAddr> {
    let ways = [("0.0.0.0:0", "192.0.2.1:9"), ("[::]:0", "[2001:db8::1]:9")];
    let own = ways.iter().filter_map(|(from, to)| {
        let socket = UdpSocket::bind(from).ok()?;
        socket.connect(to).ok()?;
        socket.local_addr().ok().map(|address| address.ip())
    });
    own.filter(|address| !address.is_loopback() && !address.is_unspecified()).collect()
}

/// Who listens on a port, as `node (process 123)`, where the system tells.
fn owner_of(port: u16) -> Option<String> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(|table| std::fs::read_to_string(table).unwrap_or_default());
    let inode = tables.iter().flat_map(|table| table.lines()).find_map(|line| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let is_ours = columns.get(1)?.ends_with(&format!(":{port:04X}")) && *columns.get(3)? == "0A";
        is_ours.then(|| columns.get(9).map(|inode| format!("socket:[{inode}]"))).flatten()
    })?;
    let is_holder = |process: &std::path::Path| {
        let handles = std::fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
        handles
            .into_iter()
            .any(|handle| std::fs::read_link(handle.path()).is_ok_and(|link| link.as_os_str() == inode.as_str()))
    };
    let process =
        std::fs::read_dir("/proc").ok()?.flatten().map(|entry| entry.path()).find(|process| is_holder(process))?;
    let name = std::fs::read_to_string(process.join("comm")).ok()?;
    Some(format!("{} (process {})", name.trim(), process.file_name()?.to_str()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rekindle_config::Config;

    fn server(port: u16, strict_port: bool) -> ServerConfig {
        ServerConfig { port, strict_port, ..Config::new("/project").server }
    }

    #[tokio::test]
    async fn the_default_is_this_machine_only() {
        let bound = listen(&server(0, true)).await.unwrap();
        assert!(!bound.exposed && bound.network.is_empty() && bound.name.is_none());
        assert_eq!(bound.local, [format!("http://localhost:{}", bound.port)]);
        for listener in &bound.listeners {
            let address = listener.local_addr().unwrap();
            assert!(address.ip().is_loopback() && address.port() == bound.port);
        }
    }

    #[tokio::test]
    async fn a_taken_port_is_told_or_passed_over() {
        let taken = listen(&server(0, true)).await.unwrap();
        let error = listen(&server(taken.port, true)).await.unwrap_err();
        assert!(error.to_string().starts_with(&format!("port {} is already in use", taken.port)), "{error}");
        let next = listen(&server(taken.port, false)).await.unwrap();
        assert!(next.port > taken.port);
    }

    #[tokio::test]
    async fn all_addresses_means_exposed() {
        let bound = listen(&ServerConfig { host: Some("0.0.0.0".into()), ..server(0, true) }).await.unwrap();
        assert!(bound.exposed);
        assert_eq!(bound.local, [format!("http://localhost:{}", bound.port)]);
    }
}
