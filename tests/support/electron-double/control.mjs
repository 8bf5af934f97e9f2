/**
 * The test's way into the main process, like Playwright's `electronApp.evaluate`: a function comes as text, gets the
 * `electron` module and one argument, and its result goes back. Returns how to tell the test something.
 */
export function serveControl(electron) {
  if (!process.send) throw new Error('The double of Electron is driven by a test over IPC, and there is none.')
  const send = (message) => process.send(message)
  process.on('message', async ({ id, source, arg }) => {
    try {
      const run = new Function(`return (${source})`)()
      send({ type: 'result', id, value: await run(electron, arg) })
    } catch (error) {
      send({ type: 'failure', id, message: error.stack })
    }
  })
  // The test is gone: nobody would ever end this process.
  process.on('disconnect', () => electron.app.quit())
  return send
}
