"""The screen saver is held off while an output covers a display, and let go after."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time

import pytest

HOLD = """
import sys
from PyQt6.QtCore import QCoreApplication
application = QCoreApplication([])
from vj.output.wakefulness import Wakefulness
awake = Wakefulness()
awake.hold()
awake.hold()
print(awake.method, flush=True)
sys.stdin.readline()
awake.release()
application.processEvents()
print("released" + awake.method, flush=True)
sys.stdin.readline()
"""


DESKTOP = """
from PyQt6.QtCore import QCoreApplication, QObject, pyqtClassInfo, pyqtSlot
from PyQt6.QtDBus import QDBusAbstractAdaptor, QDBusConnection
@pyqtClassInfo("D-Bus Interface", "org.freedesktop.ScreenSaver")
class Saver(QDBusAbstractAdaptor):
    @pyqtSlot(str, str, result="uint")
    def Inhibit(self, program, reason):
        print("inhibit", program, flush=True)
        return 4711
    @pyqtSlot("uint")
    def UnInhibit(self, cookie):
        print("uninhibit", cookie, flush=True)
application = QCoreApplication([])
held = QObject()
adaptor = Saver(held)
bus = QDBusConnection.sessionBus()
print(bus.registerObject("/org/freedesktop/ScreenSaver", held) and bus.registerService("org.freedesktop.ScreenSaver"))
print("ready", flush=True)
application.exec()
"""


def holder(env: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", HOLD],
        env=os.environ | env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def go_on(child: subprocess.Popen[str]) -> None:
    child.stdin.write("\n")
    child.stdin.flush()


def is_blanked(display) -> bool:
    """Whether the server's saver came up: one second without a hand, and a little more."""
    subprocess.run(["xset", "s", "reset", "s", "1", "0"], check=True, env=os.environ | display.env)
    time.sleep(2.0)
    query = """
import ctypes
x, s = ctypes.CDLL("libX11.so.6"), ctypes.CDLL("libXss.so.1")
x.XOpenDisplay.restype = s.XScreenSaverAllocInfo.restype = ctypes.c_void_p
x.XDefaultRootWindow.argtypes = [ctypes.c_void_p]; x.XDefaultRootWindow.restype = ctypes.c_ulong
s.XScreenSaverQueryInfo.argtypes = [ctypes.c_void_p, ctypes.c_ulong, ctypes.c_void_p]
d = x.XOpenDisplay(None); info = s.XScreenSaverAllocInfo()
s.XScreenSaverQueryInfo(d, x.XDefaultRootWindow(d), info)
print(ctypes.cast(info + 8, ctypes.POINTER(ctypes.c_int))[0])
"""
    done = subprocess.run([sys.executable, "-c", query], env=os.environ | display.env, capture_output=True, text=True)
    return done.stdout.strip() == "1"


@pytest.mark.skipif(shutil.which("xset") is None, reason="needs xset")
def test_the_x_servers_saver_waits_for_the_end_of_the_show(display):
    child = holder({**display.env, "DBUS_SESSION_BUS_ADDRESS": ""})
    try:
        method = child.stdout.readline().strip()
        if method != "X screen saver":
            pytest.skip("no libXss here")
        assert not is_blanked(display)
        go_on(child)
        assert child.stdout.readline().strip() == "released"
        assert is_blanked(display)
    finally:
        child.kill()
        child.communicate()
        subprocess.run(["xset", "s", "off", "s", "reset"], check=True, env=os.environ | display.env)


def test_where_nothing_helps_it_is_said_and_nothing_breaks():
    child = holder({"DISPLAY": "", "DBUS_SESSION_BUS_ADDRESS": ""})
    try:
        assert child.stdout.readline().strip() == ""
        go_on(child)
        assert child.stdout.readline().strip() == "released"
    finally:
        child.kill()
        child.communicate()


@pytest.mark.skipif(shutil.which("dbus-daemon") is None, reason="needs dbus-daemon")
def test_the_desktop_is_asked_and_told_when_it_is_over():
    command = ["dbus-daemon", "--session", "--nofork", "--print-address"]
    bus = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    env = {"DISPLAY": "", "DBUS_SESSION_BUS_ADDRESS": bus.stdout.readline().strip()}
    desktop = subprocess.Popen([sys.executable, "-c", DESKTOP], env=os.environ | env, stdout=subprocess.PIPE, text=True)
    assert desktop.stdout.readline().strip() == "True"
    assert desktop.stdout.readline().strip() == "ready"
    child = holder(env)
    try:
        assert child.stdout.readline().strip() == "D-Bus"
        assert desktop.stdout.readline().strip() == "inhibit vj"
        go_on(child)
        assert desktop.stdout.readline().strip() == "uninhibit 4711"
    finally:
        for process in (child, desktop, bus):
            process.kill()
            process.communicate()
