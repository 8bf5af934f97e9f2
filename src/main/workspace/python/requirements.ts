import { readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { makeFolders } from '../../home'
import { folderKey } from './create'
import { sitePackages } from './layout'
import type { PythonCandidate } from './types'

export interface RequirementsPlace {
  /** Absolute, real. */
  cwd: string
  /** Data folder. */
  home: string
}

export interface Requirements {
  /** `<home>/python/projects/<key>/requirements.txt`: outside the project, where it disturbs nothing. */
  path: string
  /** Lines of it: `numpy==2.1.0`, `-e /path`, `name @ url`. */
  packages: string[]
}

type Installed = Pick<PythonCandidate, 'environment'>

/** Tools that come with an environment. */
const SEED = new Set(['pip', 'setuptools', 'wheel', 'uv'])

/**
 * What ML Intern has installed into a project's environment: packages that are there now and were not, in that version,
 * when it first used it (`noteBaseline`). Written as a requirements file; null when there is nothing of ours.
 * Reads file names only: a few milliseconds.
 */
export async function recordRequirements(info: Installed, place: RequirementsPlace): Promise<Requirements | null> {
  if (info.environment === null) return null
  const before = await baseline(info.environment, place)
  if (before === null) return null
  const known = new Set(before)
  const packages = (await installed(info.environment)).filter((line) => !known.has(line))
  if (packages.length === 0) return null
  const folder = placeOf(place)
  const path = join(folder, 'requirements.txt')
  const head = `# Installed by ML Intern into ${info.environment} for ${place.cwd}.`.replace(/\p{Cc}/gu, '?')
  await writeWhole(path, `${[head, ...packages].join('\n')}\n`)
  return { path, packages }
}

/** Remembers what an environment holds before we install anything there; the first time counts. */
export async function noteBaseline(info: Installed, place: RequirementsPlace): Promise<void> {
  if (info.environment === null || (await baseline(info.environment, place)) !== null) return
  const folder = placeOf(place)
  await makeFolders(folder, 0o700)
  const content = { environment: info.environment, packages: await installed(info.environment) }
  await writeWhole(join(folder, 'baseline.json'), JSON.stringify(content))
}

const baselineSchema = z.object({ environment: z.string(), packages: z.array(z.string()) })

/** Null: this environment was not looked at yet. */
async function baseline(environment: string, place: RequirementsPlace): Promise<string[] | null> {
  const text = await readFile(join(placeOf(place), 'baseline.json'), 'utf8').catch(() => null)
  const kept = text === null ? null : baselineSchema.parse(JSON.parse(text))
  return kept?.environment === environment ? kept.packages : null
}

function placeOf({ cwd, home }: RequirementsPlace): string {
  return join(home, 'python', 'projects', folderKey(cwd))
}

/**
 * Installed packages of an environment as requirements, as `pip freeze --local` says them. Recorded by the folders that
 * every installer writes (Python packaging guide, "Recording installed projects").
 */
export async function installed(environment: string): Promise<string[]> {
  const lines = await Promise.all(
    (await sitePackages(environment)).map(async (folder) => {
      // Removed meanwhile: it holds nothing.
      const names = await readdir(folder).catch(() => [])
      return Promise.all(names.filter((name) => name.endsWith('.dist-info')).map((name) => requirement(folder, name)))
    }),
  )
  const all = lines.flat().filter((line) => line !== null)
  return [...new Set(all)].sort((a, b) => a.toLowerCase().localeCompare(b.toLowerCase(), 'en'))
}

const directSchema = z.object({
  url: z.string(),
  dir_info: z.object({ editable: z.boolean().optional() }).optional(),
  vcs_info: z.object({ vcs: z.string(), commit_id: z.string() }).optional(),
})

/** `demo-1.0.dist-info` -> `demo==1.0`; null for tools that come with every environment. */
async function requirement(folder: string, name: string): Promise<string | null> {
  const [, project, version] = /^(.+)-([^-]+)\.dist-info$/.exec(name) ?? []
  if (!project || !version || SEED.has(project.toLowerCase())) return null
  const direct = await readFile(join(folder, name, 'direct_url.json'), 'utf8').catch(() => null)
  if (direct === null) return `${project}==${version}`
  const parsed = directSchema.safeParse(parse(direct))
  if (!parsed.success) return `${project}==${version}`
  const { url, dir_info, vcs_info } = parsed.data
  if (dir_info?.editable) return `-e ${url}`
  return vcs_info ? `${project} @ ${vcs_info.vcs}+${url}@${vcs_info.commit_id}` : `${project} @ ${url}`
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Damaged: then name and version have to do.
    return null
  }
}

async function writeWhole(path: string, content: string): Promise<void> {
  await writeFile(`${path}.new`, content)
  await rename(`${path}.new`, path)
}
