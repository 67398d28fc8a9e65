#[allow(non_camel_case_types, dead_code)] mod __swath_shape {
    use ::core::any::TypeId;
    use ::core::mem::type_info::{Field, Generic, Type, TypeKind};
    const MOST: usize = 160;
    pub struct Shape { types: [TypeId; MOST], count: usize, hash: u64 }
    const fn mix(mut shape: Shape, number: usize) -> Shape {
        shape.hash = (shape.hash ^ number as u64).wrapping_mul(0x0000_0100_0000_01b3);
        shape
    }
    const fn see(mut shape: Shape, id: TypeId) -> Shape {
        let mut index = 0;
        while index < shape.count {
            if ::core::intrinsics::type_id_eq(shape.types[index], id) { return mix(shape, index); }
            index += 1;
        }
        if shape.count < MOST { shape.types[shape.count] = id; shape.count += 1; }
        mix(shape, index)
    }
    const fn fields(mut shape: Shape, kind: usize, fields: &'static [Field]) -> Shape {
        shape = mix(mix(shape, kind), fields.len());
        let mut index = 0;
        while index < fields.len() { shape = see(mix(shape, fields[index].offset), fields[index].ty); index += 1; }
        shape
    }
    const fn generics(mut shape: Shape, generics: &'static [Generic]) -> Shape {
        let mut index = 0;
        while index < generics.len() {
            if let Generic::Type(generic) = &generics[index] { shape = see(shape, generic.ty); }
            index += 1;
        }
        shape
    }
    const fn of<T>() -> Shape {
        let root = ::core::intrinsics::type_id::<T>();
        let mut shape = Shape { types: [root; MOST], count: 1, hash: 0xcbf2_9ce4_8422_2325 };
        shape = mix(shape, ::core::mem::align_of::<T>());
        let mut index = 0;
        while index < shape.count {
            let Type { kind, size, .. } = shape.types[index].info();
            shape = mix(shape, match size { ::core::option::Option::Some(size) => size, _ => usize::MAX });
            shape = match kind {
                TypeKind::Tuple(it) => fields(shape, 1, it.fields),
                TypeKind::Array(it) => see(mix(shape, it.len), it.element_ty),
                TypeKind::Slice(it) => see(shape, it.element_ty),
                TypeKind::Struct(it) => generics(fields(shape, 2, it.fields), it.generics),
                TypeKind::Union(it) => generics(fields(shape, 3, it.fields), it.generics),
                TypeKind::Enum(it) => {
                    let mut variant = 0;
                    while variant < it.variants.len() { shape = fields(shape, 4, it.variants[variant].fields); variant += 1; }
                    generics(shape, it.generics)
                }
                TypeKind::Reference(it) => see(shape, it.pointee),
                TypeKind::Pointer(it) => see(shape, it.pointee),
                _ => shape,
            };
            index += 1;
        }
        shape
    }
    struct Of<T>(::core::marker::PhantomData<T>);
    impl<T> Of<T> { const SHAPE: &'static Shape = &of::<T>(); }
    pub fn hash<T>() -> u64 {
        let shape = Of::<T>::SHAPE;
        ::swath::rt::shape_hash(shape.hash, &shape.types[..shape.count])
    }
}
fn __swath_put<T: 'static>(name: &str, value: T) { ::swath::rt::put_shaped(name, value, __swath_shape::hash::<T>()) }
fn __swath_has<T: 'static>(name: &str) -> bool { ::swath::rt::has_shaped::<T>(name, __swath_shape::hash::<T>()) }
