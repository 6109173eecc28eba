"""All OSC of a show: the listener, the reports, the templates, and the query server. Built in one place.

Whatever of it cannot be had is told, and the show goes on without.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from vj.controllers.events import ControlEvent
from vj.controllers.osc.chosen_listeners import ChosenListeners
from vj.controllers.osc.endpoint import OscEndpoint, OscPortError
from vj.controllers.osc.input import OscInput
from vj.controllers.osc.output import OscListener, OscOutput
from vj.controllers.osc.player import OscWords
from vj.controllers.osc.query_server import QueryServer, QueryUnavailableError
from vj.controllers.osc.state import StateSources
from vj.controllers.osc.template import Template
from vj.controls import Controls

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class OscOptions:
    """What a show was asked for."""

    endpoint: OscEndpoint | None = None  # where to listen; None = the default port, or the next free one
    listeners: tuple[OscEndpoint, ...] = ()  # told everything at our own addresses
    templates: tuple[Template, ...] = ()


class OscNetwork:
    """Started and stopped by one thread. `output` and `chosen_listeners` are players for the conductor."""

    def __init__(
        self,
        controls: Controls,
        options: OscOptions,
        sources: StateSources,
        play_event: Callable[[ControlEvent], object],
        tell: Callable[[str], None],
    ) -> None:
        """Open the port; nothing runs yet. Raises OscPortError for a port asked for and taken."""
        self._tell = tell
        self.output = OscOutput(controls, sources)
        self._add_listeners(options)
        self.chosen_listeners = ChosenListeners(controls, self.output, tell)
        aliases = {address: alias for template in options.templates for address, alias in template.receives.items()}
        words = OscWords(aliases, self.output.services, play_event)
        self.input = self._open(controls, options, words)
        self.query = self._build_query(controls, sources, words)

    def start(self) -> None:
        """Begin to listen."""
        if self.input is not None:
            self.input.start()
            _LOG.info("OSC listens at %s:%d", self.input.host, self.input.port)
            if self.input.reach.is_open:
                _LOG.info("OSC is open to the network: others reach it at %s", self.input.reach.address)
        if self.query is not None:
            self.query.start()

    def stop(self) -> None:
        """Close every port. The conductor has stopped before."""
        if self.query is not None:
            self.query.stop()
        if self.input is not None:
            self.input.stop()
        self.output.close()

    def _open(self, controls: Controls, options: OscOptions, words: OscWords) -> OscInput | None:
        """Open the port. Without a choice of the user's, a show without OSC is better than none."""
        try:
            return OscInput(controls, options.endpoint, words)
        except OscPortError as error:
            if options.endpoint is not None:
                raise
            self._tell(str(error))
            return None

    def _build_query(self, controls: Controls, sources: StateSources, words: OscWords) -> QueryServer | None:
        if self.input is None:
            return None
        try:
            return QueryServer(controls, sources, words, (self.input.host, self.input.port), self._tell)
        except QueryUnavailableError as error:
            _LOG.info("%s", error)  # an extra that nobody asked for is no problem
            return None

    def _add_listeners(self, options: OscOptions) -> None:
        """Send to whom was asked for; a template of a program that only sends has no one to tell."""
        asked = [OscListener(endpoint) for endpoint in options.listeners]
        asked += [
            OscListener(OscEndpoint(template.host, template.port, is_default=False), template)
            for template in options.templates
            if template.sends or template.is_everything_told
        ]
        for listener in asked:
            try:
                self.output.add(listener)
            except OscPortError as error:
                self._tell(str(error))
