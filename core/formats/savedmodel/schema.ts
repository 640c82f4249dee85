/** The parts of saved_model.proto and meta_graph.proto that a model for inference uses. */
import { type GraphDef, graphTable, type ShapeProto, shapeTable } from '../graphdef/schema.ts';
import { many, one, type Table } from '../protobuf/wire.ts';

export interface TensorInfo {
  name?: string;
  dtype?: number;
  tensorShape?: ShapeProto;
  cooSparse?: Uint8Array;
  compositeTensor?: Uint8Array;
}

export interface TensorInfoEntry {
  key?: string;
  value?: TensorInfo;
}

export interface SignatureDef {
  inputs: TensorInfoEntry[];
  outputs: TensorInfoEntry[];
}

export interface SignatureEntry {
  key?: string;
  value?: SignatureDef;
}

export interface MetaInfo {
  tags: string[];
  tensorflowVersion?: string;
}

export interface SaverDef {
  restoreOpName?: string;
}

export interface MetaGraph {
  metaInfoDef?: MetaInfo;
  graphDef?: GraphDef;
  saverDef?: SaverDef;
  signatureDef: SignatureEntry[];
}

export interface SavedModel {
  metaGraphs: MetaGraph[];
}

const tensorInfo: Table<TensorInfo> = {
  name: one(1, 'string'),
  dtype: one(2, 'int'),
  tensorShape: one(3, () => shapeTable),
  cooSparse: one(4, 'bytes'),
  compositeTensor: one(5, 'bytes'),
};

export const tensorInfoEntry: Table<TensorInfoEntry> = {
  key: one(1, 'string'),
  value: one(2, () => tensorInfo),
};

export const signatureTable: Table<SignatureDef> = {
  inputs: many(1, () => tensorInfoEntry),
  outputs: many(2, () => tensorInfoEntry),
};

const signatureEntry: Table<SignatureEntry> = { key: one(1, 'string'), value: one(2, () => signatureTable) };

const metaInfo: Table<MetaInfo> = { tags: many(4, 'string'), tensorflowVersion: one(5, 'string') };

const saver: Table<SaverDef> = { restoreOpName: one(3, 'string') };

const metaGraph: Table<MetaGraph> = {
  metaInfoDef: one(1, () => metaInfo),
  graphDef: one(2, () => graphTable),
  saverDef: one(3, () => saver),
  signatureDef: many(5, () => signatureEntry),
};

export const savedModelTable: Table<SavedModel> = { metaGraphs: many(2, () => metaGraph) };
