import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import ts from 'typescript';
import { PROJECT } from '../../support/build.ts';

/** Attributes that somebody reads or hears. */
const SHOWN = ['title', 'titleText', 'label', 'aria-label', 'placeholder', 'text', 'alt'];
const WORD = /\p{L}{2}/u;

/** The words that a component shows by itself, where they stand. */
function wordsIn(file: string): string[] {
  const source = ts.createSourceFile(
    file,
    readFileSync(join(PROJECT, file), 'utf8'),
    ts.ScriptTarget.Latest,
    true,
  );
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    const isText = ts.isJsxText(node) && WORD.test(node.text);
    const isAttribute =
      ts.isJsxAttribute(node) &&
      SHOWN.includes(node.name.getText()) &&
      node.initializer !== undefined &&
      ts.isStringLiteral(node.initializer) &&
      WORD.test(node.initializer.text);
    if (isText || isAttribute)
      found.push(
        `${file}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1}: ${node.getText()}`,
      );
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

describe('the texts of the page', () => {
  it('stand in one file, ready for translation: no component has words of its own', () => {
    const files = readdirSync(join(PROJECT, 'cockpit/src'), { recursive: true, encoding: 'utf8' })
      .filter(name => name.endsWith('.tsx'))
      .map(name => `cockpit/src/${name}`);
    expect(files.length).to.be.greaterThan(20);
    expect(files.flatMap(wordsIn)).to.deep.equal([]);
  });
});
