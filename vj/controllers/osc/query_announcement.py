"""The instrument's name in the network: OSCQuery clients find it by mDNS without an address.

Needs the extra `oscquery`. On loopback only this computer hears of it.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zeroconf import ServiceInfo
    from zeroconf.asyncio import AsyncZeroconf

QUERY_SERVICE, OSC_SERVICE = "_oscjson._tcp.local.", "_osc._udp.local."
ANY_HOSTS = ("0.0.0.0", "::", "")


class Announcement:
    """Told and taken back on one event loop."""

    def __init__(self, host: str, query_port: int, osc_port: int) -> None:
        self._host = host
        self._ports = {QUERY_SERVICE: query_port, OSC_SERVICE: osc_port}
        self._zeroconf: AsyncZeroconf | None = None

    async def begin(self) -> str:
        """Tell the network; return "" or one sentence that says why it cannot be told."""
        try:
            from zeroconf import Error, InterfaceChoice
            from zeroconf.asyncio import AsyncZeroconf
        except ImportError:
            return "OSCQuery clients need this address typed in: for finding by name, pip install 'vj[oscquery]'"
        interfaces = InterfaceChoice.Default if self._host in ANY_HOSTS else [self._host]
        try:
            self._zeroconf = AsyncZeroconf(interfaces=interfaces)
            for service in self._ports:
                await self._zeroconf.async_register_service(self._info(service), allow_name_change=True)
        except (OSError, Error) as error:
            await self.end()
            return f"OSCQuery clients need this address typed in: the network takes no names ({error})"
        return ""

    async def end(self) -> None:
        """Take the names back."""
        if self._zeroconf is not None:
            await self._zeroconf.async_close()
            self._zeroconf = None

    def _info(self, service: str) -> ServiceInfo:
        from zeroconf import ServiceInfo

        from vj.controllers.osc.endpoint import own_address

        host = own_address() if self._host in ANY_HOSTS else self._host
        computer = socket.gethostname().replace(".", "-") or "computer"
        return ServiceInfo(
            service,
            f"vj on {computer}.{service}",
            port=self._ports[service],
            parsed_addresses=[host],
            server=f"{computer}.local.",
        )
