import { Banner, FailureBanner } from '../../components/Banner'
import { BrandMark } from '../../components/Brand'
import { Button } from '../../components/Button'
import { DEMO_MODEL_NAME, isKeyMissing } from '../../lib/models'
import { useApp } from '../../stores/app'
import { showDialog } from '../../stores/ui'
import { ShowSidebar } from '../sessions/Header'
import { ConnectionBanner } from '../status/ConnectionBanner'
import { StartBox } from './StartBox'
import { useDemo } from './useDemo'

/** No session is open: what this is, and three ways in (a prompt, an example, the demo). */
export function Welcome() {
  const info = useApp((app) => app.info)
  const failure = useApp((app) => app.startFailure)
  const refresh = useApp((app) => app.actions.refresh)
  const demo = useDemo()

  return (
    <main className="flex h-full min-w-0 flex-1 flex-col">
      <div className="flex h-11.5 shrink-0 items-center pl-6 max-md:pl-3">
        <ShowSidebar />
      </div>
      <ConnectionBanner width="max-w-160" />
      <div className="min-h-0 flex-1 overflow-y-auto">
        <div className="mx-auto flex min-h-full w-full max-w-160 flex-col justify-center px-6 pt-5 pb-14">
          <BrandMark size={32} />
          <h1 className="mt-4 text-display font-semibold text-balance">
            What should be trained, measured or found out?
          </h1>
          <p className="mt-1.5 text-read text-ink-2">
            ML Intern looks at your data, plans, writes and runs the code in front of you, and reports numbers that come
            from real runs.
          </p>
          {failure && (
            <FailureBanner
              failure={failure}
              className="mt-5"
              action={
                <Button size="sm" onClick={() => void refresh()}>
                  Try again
                </Button>
              }
            />
          )}
          {isKeyMissing(info) && (
            <Banner
              tone="info"
              title="No Anthropic key yet"
              className="mt-5"
              action={
                <Button size="sm" onClick={() => showDialog('key')}>
                  Add an Anthropic key
                </Button>
              }
            >
              Claude models need one. The demo does not.
            </Banner>
          )}
          <StartBox />
          <div className="mt-6 flex items-center gap-4 border-t border-line pt-4">
            <div className="min-w-0 flex-1">
              <p className="font-medium">See it work first</p>
              <p className="text-ink-2">
                The demo trains a small model on real data, with the real tools. It is driven by the “{DEMO_MODEL_NAME}
                ”, and needs no key and no network.
              </p>
            </div>
            <Button disabled={demo.disabled} onClick={demo.start}>
              {demo.busy ? 'Preparing…' : 'Try the demo'}
            </Button>
          </div>
        </div>
      </div>
    </main>
  )
}
