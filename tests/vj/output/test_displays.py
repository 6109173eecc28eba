"""Displays: found by name and number, refused with a sentence, and checked before Qt could abort."""

from __future__ import annotations

import pytest
from PyQt6.QtGui import QGuiApplication

from vj.output.displays import (
    NO_DISPLAY,
    DisplayError,
    check_display_server,
    check_opengl,
    describe,
    find_display,
)


@pytest.mark.parametrize("environment", [{}, {"DISPLAY": ""}, {"WAYLAND_DISPLAY": "wayland-none"}])
def test_no_display_is_a_sentence(environment: dict[str, str]):
    with pytest.raises(DisplayError, match="vj render"):
        check_display_server(environment, "linux")


def test_a_display_nobody_answers_at_is_named():
    with pytest.raises(DisplayError, match=r"DISPLAY=:3971"):
        check_display_server({"DISPLAY": ":3971"}, "linux")


def test_the_test_display_is_there(display):
    check_display_server(display.env, "linux")


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_other_platforms_always_have_one(platform: str):
    check_display_server({}, platform)


def test_a_platform_without_a_server_needs_no_display():
    check_display_server({"QT_QPA_PLATFORM": "offscreen"}, "linux")
    assert "vj render" in NO_DISPLAY


def test_opengl_of_the_display_suffices(qt_application):
    check_opengl()


def test_displays_are_found_by_number_and_name(qt_application):
    screen = QGuiApplication.primaryScreen()
    assert find_display("1") is screen
    assert find_display(screen.name()) is screen
    assert "1280x720" in describe(screen)


@pytest.mark.parametrize("wanted", ["0", "2", "99999999999", "HDMI-7", "-1", ""])
def test_a_display_that_is_not_there_lists_those_that_are(qt_application, wanted: str):
    with pytest.raises(DisplayError, match="1280x720"):
        find_display(wanted)
