import type { Field } from './schema.ts';

/** Names of the union BuiltinOptions; the position is the number in the file. */
export const optionsTables: readonly string[] = (
  'NONE Conv2DOptions DepthwiseConv2DOptions ConcatEmbeddingsOptions LSHProjectionOptions ' +
  'Pool2DOptions SVDFOptions RNNOptions FullyConnectedOptions SoftmaxOptions ConcatenationOptions ' +
  'AddOptions L2NormOptions LocalResponseNormalizationOptions LSTMOptions ResizeBilinearOptions ' +
  'CallOptions ReshapeOptions SkipGramOptions SpaceToDepthOptions EmbeddingLookupSparseOptions ' +
  'MulOptions PadOptions GatherOptions BatchToSpaceNDOptions SpaceToBatchNDOptions ' +
  'TransposeOptions ReducerOptions SubOptions DivOptions SqueezeOptions SequenceRNNOptions ' +
  'StridedSliceOptions ExpOptions TopKV2Options SplitOptions LogSoftmaxOptions CastOptions ' +
  'DequantizeOptions MaximumMinimumOptions ArgMaxOptions LessOptions NegOptions PadV2Options ' +
  'GreaterOptions GreaterEqualOptions LessEqualOptions SelectOptions SliceOptions ' +
  'TransposeConvOptions SparseToDenseOptions TileOptions ExpandDimsOptions EqualOptions ' +
  'NotEqualOptions ShapeOptions PowOptions ArgMinOptions FakeQuantOptions PackOptions ' +
  'LogicalOrOptions OneHotOptions LogicalAndOptions LogicalNotOptions UnpackOptions ' +
  'FloorDivOptions SquareOptions ZerosLikeOptions FillOptions BidirectionalSequenceLSTMOptions ' +
  'BidirectionalSequenceRNNOptions UnidirectionalSequenceLSTMOptions FloorModOptions RangeOptions ' +
  'ResizeNearestNeighborOptions LeakyReluOptions SquaredDifferenceOptions MirrorPadOptions ' +
  'AbsOptions SplitVOptions UniqueOptions ReverseV2Options AddNOptions GatherNdOptions CosOptions ' +
  'WhereOptions RankOptions ReverseSequenceOptions MatrixDiagOptions QuantizeOptions ' +
  'MatrixSetDiagOptions HardSwishOptions IfOptions WhileOptions DepthToSpaceOptions ' +
  'NonMaxSuppressionV4Options NonMaxSuppressionV5Options ScatterNdOptions SelectV2Options ' +
  'DensifyOptions SegmentSumOptions BatchMatMulOptions CumsumOptions CallOnceOptions ' +
  'BroadcastToOptions Rfft2dOptions Conv3DOptions HashtableOptions HashtableFindOptions ' +
  'HashtableImportOptions HashtableSizeOptions VarHandleOptions ReadVariableOptions ' +
  'AssignVariableOptions RandomOptions BucketizeOptions GeluOptions DynamicUpdateSliceOptions ' +
  'UnsortedSegmentProdOptions UnsortedSegmentMaxOptions UnsortedSegmentMinOptions ' +
  'UnsortedSegmentSumOptions ATan2Options SignOptions BitcastOptions BitwiseXorOptions ' +
  'RightShiftOptions'
).split(' ');

/** Names of BuiltinOperator; the position is the number in the file. */
export const builtinOperators: readonly string[] = (
  'ADD AVERAGE_POOL_2D CONCATENATION CONV_2D DEPTHWISE_CONV_2D DEPTH_TO_SPACE DEQUANTIZE ' +
  'EMBEDDING_LOOKUP FLOOR FULLY_CONNECTED HASHTABLE_LOOKUP L2_NORMALIZATION L2_POOL_2D ' +
  'LOCAL_RESPONSE_NORMALIZATION LOGISTIC LSH_PROJECTION LSTM MAX_POOL_2D MUL RELU RELU_N1_TO_1 ' +
  'RELU6 RESHAPE RESIZE_BILINEAR RNN SOFTMAX SPACE_TO_DEPTH SVDF TANH CONCAT_EMBEDDINGS SKIP_GRAM ' +
  'CALL CUSTOM EMBEDDING_LOOKUP_SPARSE PAD UNIDIRECTIONAL_SEQUENCE_RNN GATHER BATCH_TO_SPACE_ND ' +
  'SPACE_TO_BATCH_ND TRANSPOSE MEAN SUB DIV SQUEEZE UNIDIRECTIONAL_SEQUENCE_LSTM STRIDED_SLICE ' +
  'BIDIRECTIONAL_SEQUENCE_RNN EXP TOPK_V2 SPLIT LOG_SOFTMAX DELEGATE BIDIRECTIONAL_SEQUENCE_LSTM ' +
  'CAST PRELU MAXIMUM ARG_MAX MINIMUM LESS NEG PADV2 GREATER GREATER_EQUAL LESS_EQUAL SELECT SLICE ' +
  'SIN TRANSPOSE_CONV SPARSE_TO_DENSE TILE EXPAND_DIMS EQUAL NOT_EQUAL LOG SUM SQRT RSQRT SHAPE ' +
  'POW ARG_MIN FAKE_QUANT REDUCE_PROD REDUCE_MAX PACK LOGICAL_OR ONE_HOT LOGICAL_AND LOGICAL_NOT ' +
  'UNPACK REDUCE_MIN FLOOR_DIV REDUCE_ANY SQUARE ZEROS_LIKE FILL FLOOR_MOD RANGE ' +
  'RESIZE_NEAREST_NEIGHBOR LEAKY_RELU SQUARED_DIFFERENCE MIRROR_PAD ABS SPLIT_V UNIQUE CEIL ' +
  'REVERSE_V2 ADD_N GATHER_ND COS WHERE RANK ELU REVERSE_SEQUENCE MATRIX_DIAG QUANTIZE ' +
  'MATRIX_SET_DIAG ROUND HARD_SWISH IF WHILE NON_MAX_SUPPRESSION_V4 NON_MAX_SUPPRESSION_V5 ' +
  'SCATTER_ND SELECT_V2 DENSIFY SEGMENT_SUM BATCH_MATMUL PLACEHOLDER_FOR_GREATER_OP_CODES CUMSUM ' +
  'CALL_ONCE BROADCAST_TO RFFT2D CONV_3D IMAG REAL COMPLEX_ABS HASHTABLE HASHTABLE_FIND ' +
  'HASHTABLE_IMPORT HASHTABLE_SIZE REDUCE_ALL CONV_3D_TRANSPOSE VAR_HANDLE READ_VARIABLE ' +
  'ASSIGN_VARIABLE BROADCAST_ARGS RANDOM_STANDARD_NORMAL BUCKETIZE RANDOM_UNIFORM MULTINOMIAL GELU ' +
  'DYNAMIC_UPDATE_SLICE RELU_0_TO_1 UNSORTED_SEGMENT_PROD UNSORTED_SEGMENT_MAX ' +
  'UNSORTED_SEGMENT_SUM ATAN2 UNSORTED_SEGMENT_MIN SIGN BITCAST BITWISE_XOR RIGHT_SHIFT ' +
  'STABLEHLO_LOGISTIC STABLEHLO_ADD STABLEHLO_DIVIDE STABLEHLO_MULTIPLY STABLEHLO_MAXIMUM ' +
  'STABLEHLO_RESHAPE STABLEHLO_CLAMP STABLEHLO_CONCATENATE STABLEHLO_BROADCAST_IN_DIM ' +
  'STABLEHLO_CONVOLUTION STABLEHLO_SLICE STABLEHLO_CUSTOM_CALL STABLEHLO_REDUCE STABLEHLO_ABS ' +
  'STABLEHLO_AND STABLEHLO_COSINE STABLEHLO_EXPONENTIAL STABLEHLO_FLOOR STABLEHLO_LOG ' +
  'STABLEHLO_MINIMUM STABLEHLO_NEGATE STABLEHLO_OR STABLEHLO_POWER STABLEHLO_REMAINDER ' +
  'STABLEHLO_RSQRT STABLEHLO_SELECT STABLEHLO_SUBTRACT STABLEHLO_TANH STABLEHLO_SCATTER ' +
  'STABLEHLO_COMPARE STABLEHLO_CONVERT STABLEHLO_DYNAMIC_SLICE STABLEHLO_DYNAMIC_UPDATE_SLICE ' +
  'STABLEHLO_PAD STABLEHLO_IOTA STABLEHLO_DOT_GENERAL STABLEHLO_REDUCE_WINDOW STABLEHLO_SORT ' +
  'STABLEHLO_WHILE STABLEHLO_GATHER STABLEHLO_TRANSPOSE DILATE STABLEHLO_RNG_BIT_GENERATOR ' +
  'REDUCE_WINDOW STABLEHLO_COMPOSITE STABLEHLO_SHIFT_LEFT STABLEHLO_CBRT STABLEHLO_CASE'
).split(' ');

const builtinCodes = new Map(builtinOperators.map((name, code) => [name, code]));

/** The number of a builtin operator. @throws Error for a name that the schema lacks. */
export function builtinCode(name: string): number {
  const code = builtinCodes.get(name);
  if (code === undefined) throw new Error(`TFLite has no operator ${name}`);
  return code;
}

/** Fields of the options tables that have any; the rest of `optionsTables` are empty tables. */
export const optionsFields: Readonly<Record<string, Readonly<Record<string, Field>>>> = {
  Conv2DOptions: {
    padding: [0, 'i8'],
    stride_w: [1, 'i32'],
    stride_h: [2, 'i32'],
    fused_activation_function: [3, 'i8'],
    dilation_w_factor: [4, 'i32', 1],
    dilation_h_factor: [5, 'i32', 1],
    quantized_bias_type: [6, 'i8'],
  },
  DepthwiseConv2DOptions: {
    padding: [0, 'i8'],
    stride_w: [1, 'i32'],
    stride_h: [2, 'i32'],
    depth_multiplier: [3, 'i32'],
    fused_activation_function: [4, 'i8'],
    dilation_w_factor: [5, 'i32', 1],
    dilation_h_factor: [6, 'i32', 1],
  },
  ConcatEmbeddingsOptions: {
    num_channels: [0, 'i32'],
    num_columns_per_channel: [1, '[i32]'],
    embedding_dim_per_channel: [2, '[i32]'],
  },
  LSHProjectionOptions: { type: [0, 'i8'] },
  Pool2DOptions: {
    padding: [0, 'i8'],
    stride_w: [1, 'i32'],
    stride_h: [2, 'i32'],
    filter_width: [3, 'i32'],
    filter_height: [4, 'i32'],
    fused_activation_function: [5, 'i8'],
  },
  SVDFOptions: {
    rank: [0, 'i32'],
    fused_activation_function: [1, 'i8'],
    asymmetric_quantize_inputs: [2, 'bool'],
  },
  RNNOptions: { fused_activation_function: [0, 'i8'], asymmetric_quantize_inputs: [1, 'bool'] },
  FullyConnectedOptions: {
    fused_activation_function: [0, 'i8'],
    weights_format: [1, 'i8'],
    keep_num_dims: [2, 'bool'],
    asymmetric_quantize_inputs: [3, 'bool'],
    quantized_bias_type: [4, 'i8'],
    quant_spec: [5, '[u8]'],
  },
  SoftmaxOptions: { beta: [0, 'f32'] },
  ConcatenationOptions: { axis: [0, 'i32'], fused_activation_function: [1, 'i8'] },
  AddOptions: { fused_activation_function: [0, 'i8'], pot_scale_int16: [1, 'bool', 1] },
  L2NormOptions: { fused_activation_function: [0, 'i8'] },
  LocalResponseNormalizationOptions: {
    radius: [0, 'i32'],
    bias: [1, 'f32'],
    alpha: [2, 'f32'],
    beta: [3, 'f32'],
  },
  LSTMOptions: {
    fused_activation_function: [0, 'i8'],
    cell_clip: [1, 'f32'],
    proj_clip: [2, 'f32'],
    kernel_type: [3, 'i8'],
    asymmetric_quantize_inputs: [4, 'bool'],
  },
  ResizeBilinearOptions: { align_corners: [2, 'bool'], half_pixel_centers: [3, 'bool'] },
  CallOptions: { subgraph: [0, 'u32'] },
  ReshapeOptions: { new_shape: [0, '[i32]'] },
  SkipGramOptions: { ngram_size: [0, 'i32'], max_skip_size: [1, 'i32'], include_all_ngrams: [2, 'bool'] },
  SpaceToDepthOptions: { block_size: [0, 'i32'] },
  EmbeddingLookupSparseOptions: { combiner: [0, 'i8'] },
  MulOptions: { fused_activation_function: [0, 'i8'] },
  GatherOptions: { axis: [0, 'i32'], batch_dims: [1, 'i32'] },
  ReducerOptions: { keep_dims: [0, 'bool'] },
  SubOptions: { fused_activation_function: [0, 'i8'], pot_scale_int16: [1, 'bool', 1] },
  DivOptions: { fused_activation_function: [0, 'i8'] },
  SqueezeOptions: { squeeze_dims: [0, '[i32]'] },
  SequenceRNNOptions: {
    time_major: [0, 'bool'],
    fused_activation_function: [1, 'i8'],
    asymmetric_quantize_inputs: [2, 'bool'],
  },
  StridedSliceOptions: {
    begin_mask: [0, 'i32'],
    end_mask: [1, 'i32'],
    ellipsis_mask: [2, 'i32'],
    new_axis_mask: [3, 'i32'],
    shrink_axis_mask: [4, 'i32'],
    offset: [5, 'bool'],
  },
  SplitOptions: { num_splits: [0, 'i32'] },
  CastOptions: { in_data_type: [0, 'i8'], out_data_type: [1, 'i8'] },
  ArgMaxOptions: { output_type: [0, 'i8'] },
  TransposeConvOptions: {
    padding: [0, 'i8'],
    stride_w: [1, 'i32'],
    stride_h: [2, 'i32'],
    fused_activation_function: [3, 'i8'],
    quantized_bias_type: [4, 'i8'],
  },
  SparseToDenseOptions: { validate_indices: [0, 'bool'] },
  ShapeOptions: { out_type: [0, 'i8'] },
  ArgMinOptions: { output_type: [0, 'i8'] },
  FakeQuantOptions: { min: [0, 'f32'], max: [1, 'f32'], num_bits: [2, 'i32'], narrow_range: [3, 'bool'] },
  PackOptions: { values_count: [0, 'i32'], axis: [1, 'i32'] },
  OneHotOptions: { axis: [0, 'i32'] },
  UnpackOptions: { num: [0, 'i32'], axis: [1, 'i32'] },
  BidirectionalSequenceLSTMOptions: {
    fused_activation_function: [0, 'i8'],
    cell_clip: [1, 'f32'],
    proj_clip: [2, 'f32'],
    merge_outputs: [3, 'bool'],
    time_major: [4, 'bool', 1],
    asymmetric_quantize_inputs: [5, 'bool'],
  },
  BidirectionalSequenceRNNOptions: {
    time_major: [0, 'bool'],
    fused_activation_function: [1, 'i8'],
    merge_outputs: [2, 'bool'],
    asymmetric_quantize_inputs: [3, 'bool'],
  },
  UnidirectionalSequenceLSTMOptions: {
    fused_activation_function: [0, 'i8'],
    cell_clip: [1, 'f32'],
    proj_clip: [2, 'f32'],
    time_major: [3, 'bool'],
    asymmetric_quantize_inputs: [4, 'bool'],
    diagonal_recurrent_tensors: [5, 'bool'],
  },
  ResizeNearestNeighborOptions: { align_corners: [0, 'bool'], half_pixel_centers: [1, 'bool'] },
  LeakyReluOptions: { alpha: [0, 'f32'] },
  MirrorPadOptions: { mode: [0, 'i8'] },
  SplitVOptions: { num_splits: [0, 'i32'] },
  UniqueOptions: { idx_out_type: [0, 'i8', 2] },
  ReverseSequenceOptions: { seq_dim: [0, 'i32'], batch_dim: [1, 'i32'] },
  IfOptions: { then_subgraph_index: [0, 'i32'], else_subgraph_index: [1, 'i32'] },
  WhileOptions: { cond_subgraph_index: [0, 'i32'], body_subgraph_index: [1, 'i32'] },
  DepthToSpaceOptions: { block_size: [0, 'i32'] },
  BatchMatMulOptions: { adj_x: [0, 'bool'], adj_y: [1, 'bool'], asymmetric_quantize_inputs: [2, 'bool'] },
  CumsumOptions: { exclusive: [0, 'bool'], reverse: [1, 'bool'] },
  CallOnceOptions: { init_subgraph_index: [0, 'i32'] },
  Conv3DOptions: {
    padding: [0, 'i8'],
    stride_d: [1, 'i32'],
    stride_w: [2, 'i32'],
    stride_h: [3, 'i32'],
    fused_activation_function: [4, 'i8'],
    dilation_d_factor: [5, 'i32', 1],
    dilation_w_factor: [6, 'i32', 1],
    dilation_h_factor: [7, 'i32', 1],
  },
  HashtableOptions: { table_id: [0, 'i32'], key_dtype: [1, 'i8'], value_dtype: [2, 'i8'] },
  VarHandleOptions: { container: [0, 'string'], shared_name: [1, 'string'] },
  RandomOptions: { seed: [0, 'i64'], seed2: [1, 'i64'] },
  BucketizeOptions: { boundaries: [0, '[f32]'] },
  GeluOptions: { approximate: [0, 'bool'] },
};
