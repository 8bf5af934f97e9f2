// Imported first by every script: what an older Node stumbles over is a riddle to read. Only syntax and functions that
// Node has had for long may stand here.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const manifest = fileURLToPath(new URL('../../package.json', import.meta.url))
const wanted = JSON.parse(readFileSync(manifest, 'utf8')).engines.node.replace('>=', '').trim()

if (isOlder(process.versions.node, wanted)) {
  console.error(`ML Intern needs Node.js ${wanted} or newer; this is ${process.versions.node} (${process.execPath}).`)
  console.error('Newer versions: https://nodejs.org/en/download')
  process.exit(1)
}

function isOlder(version, than) {
  const [a, b] = [version, than].map((text) => text.split('.').map(Number))
  const at = b.findIndex((part, index) => a[index] !== part)
  return at !== -1 && a[at] < b[at]
}
