import { Lab } from '../lab/lab.ts';
import { ensureBuilt } from './build.ts';
import { Scene, type SceneOptions } from './scene.ts';

/** What a test of a suite asks for: a fresh host of its own, gone when the test is over. */
export type NewScene = (options?: SceneOptions) => Promise<Scene>;

/** A suite against the real kernel: one lab for all its tests, one host for each. */
export function kernelSuite(title: string, tests: (scene: NewScene) => void): void {
  describe(title, () => {
    let lab: Lab;
    const scenes: Scene[] = [];
    before(async () => {
      await ensureBuilt();
      lab = await Lab.create();
    });
    after(() => lab.remove());
    afterEach(async () => {
      for (const scene of scenes.splice(0)) await scene.remove();
    });
    tests(async options => {
      const scene = await Scene.create(lab, options);
      scenes.push(scene);
      return scene;
    });
  });
}
