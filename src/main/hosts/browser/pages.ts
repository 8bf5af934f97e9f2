/** Pages that the server itself writes: short, readable without any other file. */
const escapeHtml = (text: string) =>
  text.replace(/[&<>"]/g, (char) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[char] ?? '&quot;')

interface PageContent {
  title: string
  /** Paragraphs, as plain text. */
  text: string[]
  /** Goes to the window by itself, from our own page. */
  retry?: boolean
}

export function htmlPage({ title, text, retry = false }: PageContent): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
${retry ? '<meta http-equiv="refresh" content="0;url=/">\n' : ''}<title>${escapeHtml(title)} · ML Intern</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 34rem; margin: 18vh auto; padding: 0 1.5rem }
h1 { font-size: 1.25rem }
</style>
</head>
<body>
<h1>${escapeHtml(title)}</h1>
${text.map((paragraph) => `<p>${escapeHtml(paragraph)}</p>`).join('\n')}
</body>
</html>
`
}

export const pages = {
  needsToken: (retry: boolean) =>
    htmlPage({
      title: 'This window needs its address',
      text: [
        'Open ML Intern with the full address that the terminal printed. It ends in a token that lets this browser in.',
        'If ML Intern was started again since, the old address and old tabs no longer work: take the new one.',
      ],
      retry,
    }),
  usedToken: () =>
    htmlPage({
      title: 'This address was used already',
      text: [
        'The token in the address lets one browser in, once. If that was you, go on in that browser.',
        'If it was not you, stop ML Intern in its terminal. A new start prints a new address.',
      ],
    }),
  wrongHost: () =>
    htmlPage({
      title: 'Not served under this name',
      text: ['Use the address that the terminal printed. ML Intern answers only to the names of its own machine.'],
    }),
  wrongOrigin: () =>
    htmlPage({
      title: 'Refused',
      text: ['This request came from another site, and ML Intern answers only to its own.'],
    }),
  notFound: () => htmlPage({ title: 'Not found', text: ['There is nothing at this address.'] }),
  method: () => htmlPage({ title: 'Method not allowed', text: ['Only GET and HEAD are answered here.'] }),
  upgrade: () => htmlPage({ title: 'A WebSocket is wanted here', text: ['This address is for the window itself.'] }),
  failed: () => htmlPage({ title: 'Something went wrong', text: ['The file could not be read. Try again.'] }),
}
