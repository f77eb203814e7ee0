"""An S3 that others wrote: moto's."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def s3_of_moto() -> Iterator[str]:
    """Run it, without a bucket; give its address."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from moto.server import ThreadedMotoServer
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()
