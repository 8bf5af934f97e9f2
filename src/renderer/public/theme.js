// Runs before the first paint, so that a dark window never flashes light. The application keeps it current later
// (src/lib/theme.ts). A plain file, because the content security policy forbids inline scripts.
;(() => {
  let theme = 'system'
  try {
    theme = localStorage.getItem('ml-intern.theme') ?? 'system'
  } catch {
    // Storage is forbidden: follow the system.
  }
  const dark = theme === 'dark' || (theme !== 'light' && window.matchMedia('(prefers-color-scheme: dark)').matches)
  document.documentElement.classList.toggle('dark', dark)
})()
