"""Servers that hold their clients with a byte now and then, and would do so nearly for ever."""

from __future__ import annotations

import contextlib
import itertools
import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

ENOUGH = 20_000
"""Drips after which a server ends by itself: a client without patience fails its test then."""


@contextlib.contextmanager
def drip(
    talk: Callable[[str], Iterable[bytes]],
    certificate: Path | None = None,
    *,
    shakes_hands: bool = True,
) -> Iterator[str]:
    """Answer every connection with the pieces of ``talk``, each sent by itself.

    Args:
        talk: is given the path asked for.
        certificate: with its key, for an encrypted server.
        shakes_hands: whether that server begins with a handshake; else ``talk`` is asked for it,
            with no path.

    Yields:
        The server's URL.
    """
    ended = threading.Event()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if certificate is not None:
        context.load_cert_chain(certificate)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with contextlib.suppress(OSError), contextlib.ExitStack() as held:
                connection, path = self.request, ""
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if shakes_hands:
                    if certificate is not None:
                        connection = held.enter_context(
                            context.wrap_socket(connection, server_side=True)
                        )
                    path = connection.recv(65536).split()[1].decode()
                for piece in itertools.islice(talk(path), ENOUGH):
                    connection.sendall(piece)
                    if ended.wait(0.001):
                        break

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            scheme = "http" if certificate is None else "https"
            yield f"{scheme}://127.0.0.1:{server.server_address[1]}"
        finally:
            ended.set()
            server.shutdown()
            thread.join()
