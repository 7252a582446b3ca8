/** When an unused vault is locked: with a clock and timers that the test turns. */

import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";

import { IdleWatch } from "../src/idle.js";

function watching(t: TestContext, minutes: number) {
  t.mock.timers.enable({ apis: ["Date", "setTimeout"], now: 1_000_000 });
  const page = new EventTarget();
  const seen: string[] = [];
  const watch = new IdleWatch(
    minutes,
    {
      warn: (locksAt) => seen.push(`locks in ${(locksAt - Date.now()) / 1000} s`),
      active: () => seen.push("in use"),
      lock: () => seen.push("locked"),
    },
    page,
  );
  t.after(() => watch.stop());
  return {
    watch,
    seen,
    pass: (seconds: number) => t.mock.timers.tick(seconds * 1000),
    /** The machine sleeps: the clock goes on, timers do not. */
    sleep: (seconds: number) => t.mock.timers.setTime(Date.now() + seconds * 1000),
    happens: (type: string) => page.dispatchEvent(new Event(type)),
  };
}

test("it warns half a minute before, and locks once", (t) => {
  const { seen, pass } = watching(t, 5);
  pass(269);
  assert.deepEqual(seen, []);
  pass(1);
  assert.deepEqual(seen, ["locks in 30 s"]);
  pass(29);
  assert.deepEqual(seen, ["locks in 30 s"]);
  pass(1);
  assert.deepEqual(seen, ["locks in 30 s", "locked"]);
  pass(3600);
  assert.equal(seen.length, 2);
});

for (const type of ["pointerdown", "pointermove", "keydown", "wheel", "touchstart", "input"]) {
  test(`${type} is use`, (t) => {
    const { seen, pass, happens } = watching(t, 1);
    pass(20);
    happens(type);
    pass(20);
    assert.deepEqual(seen, []);
    pass(10);
    assert.deepEqual(seen, ["locks in 30 s"]);
    happens(type);
    assert.deepEqual(seen, ["locks in 30 s", "in use"]);
    pass(30);
    pass(30);
    assert.deepEqual(seen, ["locks in 30 s", "in use", "locks in 30 s", "locked"]);
  });
}

test("a tab that was hidden for longer is locked when it is seen again", (t) => {
  const { seen, sleep, happens } = watching(t, 5);
  sleep(240);
  happens("visibilitychange");
  assert.deepEqual(seen, []);
  sleep(61);
  happens("visibilitychange");
  assert.deepEqual(seen, ["locked"]);
});

test("after a sleep the first use is too late", (t) => {
  const { seen, sleep, happens } = watching(t, 5);
  sleep(301);
  happens("pointermove");
  assert.deepEqual(seen, ["locked"]);
});

test("who wants it never locked has it so", (t) => {
  const { seen, pass, happens } = watching(t, 0);
  pass(100_000);
  happens("visibilitychange");
  assert.deepEqual(seen, []);
});

test("a watch that ended does nothing", (t) => {
  const { watch, seen, pass, happens } = watching(t, 1);
  pass(30);
  watch.stop();
  happens("keydown");
  pass(1000);
  assert.deepEqual(seen, ["locks in 30 s"]);
});
