/**
 * Annotations: predictions as regions on any graph.
 */
import { AnnotationSupport } from '@grafana/data';
import { ArkiQuery } from './types';

export const annotationSupport: AnnotationSupport<ArkiQuery> = {
  prepareQuery: (annotation) => ({
    refId: 'Anno',
    ...annotation.target,
    queryType: 'annotations',
  }),
};
