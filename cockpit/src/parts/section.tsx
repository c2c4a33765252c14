import {
  Card,
  CardBody,
  CardHeader,
  CardTitle,
} from '@patternfly/react-core/dist/esm/components/Card/index.js';
import type { ReactNode } from 'react';

/** A part of a view under a heading. @param wide whether it takes a line of its own */
export function Section(props: {
  readonly title: string;
  readonly actions?: ReactNode;
  readonly wide?: boolean;
  readonly level?: 'h2' | 'h3';
  readonly children: ReactNode;
}) {
  const { title, actions, wide = false, level = 'h3', children } = props;
  return (
    <Card component="section" aria-label={title} className={wide ? 'hnet-wide' : ''}>
      <CardHeader {...(actions !== undefined && { actions: { actions, hasNoOffset: true } })}>
        <CardTitle component={level}>{title}</CardTitle>
      </CardHeader>
      <CardBody className="hnet-stack">{children}</CardBody>
    </Card>
  );
}
