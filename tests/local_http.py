"""Requests to servers on this machine."""

import urllib.request

open_local = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
"""`urllib.request.urlopen` without the proxies of the environment, which do not reach this machine's servers."""
