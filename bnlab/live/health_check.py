"""`python -m bnlab.live.health_check http://localhost:8501`: whether the server there is ready, for the image.

The base path is that of `STREAMLIT_SERVER_BASE_URL_PATH`. It asks no proxy of the environment, which would look for
`localhost` on its own machine. It imports nothing else of bnlab: it runs every half minute.
"""

import os
import sys
import urllib.error
import urllib.request

TIMEOUT_SECONDS = 8.0
READY = "ready"


def main(server: str) -> int:
    """Print the server's answer; returns 0 if it is ready and 1 if not."""
    base = os.environ.get("STREAMLIT_SERVER_BASE_URL_PATH", "").strip("/")
    url = "/".join(filter(None, (server.rstrip("/"), base, READY)))
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=TIMEOUT_SECONDS) as answer:
            text = answer.read(1_000).decode(errors="replace").strip()
    except urllib.error.HTTPError as error:
        text = error.read(1_000).decode(errors="replace").strip()
    except OSError as error:
        text = f"No answer from {url}: {error}"
    is_ready = text == READY
    # An unknown address is answered with a page.
    print(text if not text.startswith("<") else f"bnlab is not at {url}.")  # noqa: T201
    return 0 if is_ready else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
