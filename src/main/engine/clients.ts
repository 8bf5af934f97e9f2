import type { ModelChoice } from '@shared/bridge'
import type { ModelRole, Settings } from '@shared/settings'
import type { EngineOptions } from '../engine-types'
import { createCatalogues, createModelClient, type ListDeps, listModels, refreshCatalogues } from '../models/registry'
import { modelForRole } from '../models/roles'
import type { ModelClient } from '../models/types'

/** One client for each model in use; sessions share them. */
export class ModelClients {
  private readonly catalogues = createCatalogues()
  private readonly made = new Map<string, Promise<ModelClient>>()

  constructor(
    private readonly options: Pick<EngineOptions, 'credentials' | 'env' | 'host'>,
    private readonly settings: () => Settings,
  ) {}

  /** Rejects with `unknown_model` or `no_credentials`. */
  client(model: string): Promise<ModelClient> {
    const known = this.made.get(model)
    if (known) return known
    const made = createModelClient(model, {
      credentials: this.options.credentials,
      settings: this.settings(),
      env: this.options.env,
      catalogues: this.catalogues,
      demo: async () => {
        const { createDemoClient } = await import('../demo/scripted-model')
        return createDemoClient(this.options.host === 'headless' ? { pace: 0 } : {})
      },
    })
    this.made.set(model, made)
    made.catch(() => this.made.delete(model))
    return made
  }

  /** For side work of a session that talks to `main`. Where the role's own model cannot be had, the session's does it. */
  async forRole(role: ModelRole, main: string): Promise<ModelClient> {
    const model = modelForRole(role, main, this.settings())
    if (model === main) return this.client(main)
    try {
      return await this.client(model)
    } catch {
      return this.client(main)
    }
  }

  /** `all`: also every model and provider of the Hugging Face router. `refresh` asks the providers again: seconds. */
  list(options: { refresh?: boolean; all?: boolean } = {}): Promise<ModelChoice[]> {
    return listModels(this.deps(), options)
  }

  /** Brings the lists of models up to date, for the window and the chat. Never rejects. */
  async refresh(): Promise<void> {
    if (this.options.host !== 'headless') await refreshCatalogues({ ...this.deps(), catalogues: this.catalogues })
  }

  private deps(): ListDeps {
    const { credentials, env, host } = this.options
    const lists = host === 'headless' ? {} : { catalogues: this.catalogues }
    return { settings: this.settings(), credentials, env, ...lists }
  }

  /** Another key: another account may see other models. */
  keyChanged(): void {
    this.catalogues.anthropic.forget()
    this.clear()
  }

  /** Keys or prices have changed. */
  clear(): void {
    this.made.clear()
  }
}
