import { Lab } from '../lab/lab.ts';
import { ensureBuilt } from './build.ts';
import { Scene, type SceneOptions } from './scene.ts';

/** What a test of a suite asks for: a fresh host of its own, gone when the test is over. */
export type NewScene = (options?: SceneOptions) => Promise<Scene>;

/**
 * What several tests share, made when the first of them asks for it. For tests that leave a host as they found it; one
 * that fails may not have, so that the next one gets another.
 */
export type Share = <T>(make: (scene: NewScene) => Promise<T>) => () => Promise<T>;

/** A suite against the real kernel: one lab for all its tests, one host for each unless they share it. */
export function kernelSuite(title: string, tests: (scene: NewScene, share: Share) => void): void {
  describe(title, () => {
    let lab: Lab;
    const own: Scene[] = [];
    const shared: Scene[] = [];
    /** What a share has made; it is forgotten with its hosts. */
    const made = new Map<object, Promise<unknown>>();

    async function endShared(): Promise<void> {
      made.clear();
      await end(shared);
    }
    const madeFor =
      (scenes: Scene[]): NewScene =>
      async options => {
        const scene = await Scene.create(lab, options);
        scenes.push(scene);
        return scene;
      };

    before(async () => {
      await ensureBuilt();
      lab = await Lab.create();
    });
    after(() => lab.remove());
    afterEach(async function () {
      await end(own);
      if (this.currentTest?.state === 'failed') await endShared();
    });
    tests(
      async options => {
        // Most are the provider's h1, of which there is one at a time.
        await endShared();
        return madeFor(own)(options);
      },
      <T>(make: (scene: NewScene) => Promise<T>) =>
        async (): Promise<T> => {
          if (!made.has(make)) {
            await endShared();
            made.set(make, make(madeFor(shared)));
          }
          return (await made.get(make)) as T;
        },
    );
  });
}

async function end(scenes: Scene[]): Promise<void> {
  for (const scene of scenes.splice(0)) await scene.remove();
}
