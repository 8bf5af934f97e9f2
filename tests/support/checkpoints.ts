import { lstat, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Checkpoints, type CheckpointsOptions } from '../../src/main/workspace/checkpoints'

/** A workspace with a shadow folder outside of it. */
export class CheckpointsBench {
  said: string[] = []

  private constructor(
    readonly base: string,
    readonly workspace: string,
    public dir: string,
  ) {}

  static async make(): Promise<CheckpointsBench> {
    const base = await realpath(await mkdtemp(join(tmpdir(), 'ml-intern-checkpoints-')))
    const workspace = join(base, 'project')
    await mkdir(workspace)
    return new CheckpointsBench(base, workspace, join(base, 'home', 'checkpoints'))
  }

  remove(): Promise<void> {
    return rm(this.base, { recursive: true, force: true, maxRetries: 3 })
  }

  open(more: Partial<CheckpointsOptions> = {}): Checkpoints {
    const notify = (text: string) => this.said.push(text)
    return new Checkpoints({
      dir: this.dir,
      session: 's1',
      workspace: this.workspace,
      env: process.env,
      notify,
      ...more,
    })
  }

  async put(path: string, content: string | Buffer = path): Promise<void> {
    await mkdir(dirname(join(this.workspace, path)), { recursive: true })
    await writeFile(join(this.workspace, path), content)
  }

  get(path: string): Promise<string> {
    return readFile(join(this.workspace, path), 'utf8')
  }

  isThere(path: string): Promise<boolean> {
    return lstat(join(this.workspace, path)).then(
      () => true,
      () => false,
    )
  }
}
