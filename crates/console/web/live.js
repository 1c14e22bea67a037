// Polling that costs nothing while nobody looks: no request begins while the tab is hidden, and one begins when it is shown again.

/** Runs `task(signal)` at once and `every` ms (a number or a function) after it ended; after errors the wait doubles, up to a minute. */
export function live(task, { every, signal, onError }) {
  let timer, running, again, failures = 0;

  async function now() {
    clearTimeout(timer);
    again = running;
    if (signal.aborted || document.hidden || running) return;
    running = true;
    try {
      await task(signal);
      failures = 0;
    } catch (error) {
      failures += 1;
      if (!signal.aborted) onError?.(error);
    }
    running = false;
    const wait = typeof every === 'function' ? every() : every;
    if (!signal.aborted && !document.hidden) timer = setTimeout(now, again ? 0 : Math.min(wait * 2 ** failures, 60_000));
  }

  document.addEventListener('visibilitychange', () => (document.hidden ? clearTimeout(timer) : now()), { signal });
  signal.addEventListener('abort', () => clearTimeout(timer));
  now();
  return { now };
}
