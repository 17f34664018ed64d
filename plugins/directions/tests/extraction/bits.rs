//! The same bits on each platform, in each form of a plugin, and however it is compiled.

use crate::support::{Set, all_options, extract_sets, layer_details};

/// A digest (FNV-1a) of the bits of what each method finds, with all options.
pub(crate) fn digest() -> u64 {
    let mut digest = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |bits: u64| {
        for byte in bits.to_le_bytes() {
            digest = (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    // More components than prompts, and fewer.
    for (prompts, width) in [(7, 21), (19, 5)] {
        let (positive, negative) = (Set::random(prompts, 2, width, 1, 0.5), Set::random(prompts, 2, width, 2, 0.0));
        for options in all_options() {
            let found = extract_sets(&positive, &negative, &options);
            found.directions.iter().for_each(|x| add(u64::from(x.to_bits())));
            for known in &found.layers {
                let probe = layer_details(known).probe.map(|probe| probe.objective);
                let numbers = [known.silhouette, layer_details(known).cos_direction_difference, known.cos_means, probe];
                numbers.into_iter().flatten().for_each(|x| add(x.to_bits()));
            }
        }
    }
    digest
}

#[test]
fn the_bits_are_those_of_every_other_platform() {
    assert_eq!(digest(), 2_348_257_567_636_678_594);
}
