//! Tensors as bytes: a length, names and shapes as JSON, then the elements, little-endian.

use jackfield_plugin_api::Tensor;

/// The tensors as bytes; none if there are no tensors.
pub fn encode(tensors: &[Tensor]) -> Option<Vec<u8>> {
    if tensors.is_empty() {
        return None;
    }
    let header: Vec<(&str, &[u64])> =
        tensors.iter().map(|tensor| (tensor.name.as_str(), tensor.shape.as_slice())).collect();
    let header = serde_json::to_vec(&header).unwrap_or_default();
    let mut bytes = (header.len() as u32).to_le_bytes().to_vec();
    bytes.extend(header);
    for tensor in tensors {
        bytes.extend(tensor.data.iter().flat_map(|element| element.to_le_bytes()));
    }
    Some(bytes)
}

/// The tensors that bytes hold; none if the bytes are not encoded tensors.
pub fn decode(bytes: &[u8]) -> Option<Vec<Tensor>> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (header, mut data) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    let header: Vec<(String, Vec<u64>)> = serde_json::from_slice(header).ok()?;
    let mut tensors = Vec::with_capacity(header.len());
    for (name, shape) in header {
        let count = shape.iter().try_fold(1_u64, |product, length| product.checked_mul(*length))?;
        let (own, others) = data.split_at_checked(usize::try_from(count).ok()?.checked_mul(4)?)?;
        data = others;
        let elements = own.chunks_exact(4).map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]]));
        tensors.push(Tensor { name, shape, data: elements.collect() });
    }
    Some(tensors)
}

#[cfg(test)]
mod tests {
    use jackfield_plugin_api::Tensor;

    #[test]
    fn tensors_come_back_as_they_were() {
        let tensors = vec![
            Tensor { name: "a".into(), shape: vec![2, 3], data: [1.0, -0.0, f32::MAX, 2.5, 1e-40, 6.0].into() },
            Tensor { name: "empty".into(), shape: vec![0], data: [].into() },
        ];
        let bytes = super::encode(&tensors).expect("bytes");
        assert_eq!(super::decode(&bytes), Some(tensors));
        assert_eq!(super::decode(&bytes[..bytes.len() - 1]), None);
        assert_eq!(super::encode(&[]), None);
    }
}
