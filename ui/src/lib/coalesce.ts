/** Runs a task once for many requests. */

/**
 * A function that runs `work` soon after it is called, never twice at once and at most once in `interval` milliseconds; calls
 * meanwhile make one further run.
 */
export function coalesce(work: () => Promise<void>, interval: () => number): () => void {
  let wanted = false
  let busy = false
  const run = async (): Promise<void> => {
    busy = true
    wanted = false
    try {
      await work()
    } finally {
      setTimeout(() => {
        busy = false
        if (wanted) void run()
      }, interval())
    }
  }
  return () => {
    wanted = true
    if (!busy) void run()
  }
}
