use super::DetectorArchitecture;
use crate::models::EncoderKind;

/// Makers of RetinaNets: a feature pyramid with anchors at every cell, one pass, focal loss.
///
/// Networks and state dicts are torchvision's (`retinanet_resnet50_fpn`).
///
/// ```
/// use swath::models::RetinaNet;
/// assert_eq!(RetinaNet::resnet50().name(), "RetinaNet ResNet-50");
/// ```
pub struct RetinaNet;

impl RetinaNet {
    /// RetinaNet on ResNet-18, from random weights, a torchvision file ([`DetectorArchitecture::weights`]), or
    /// torchvision's ImageNet weights ([`DetectorArchitecture::pretrained`]).
    #[must_use]
    pub fn resnet18() -> DetectorArchitecture {
        DetectorArchitecture::retinanet(EncoderKind::Resnet18)
    }

    /// RetinaNet on ResNet-34, from random weights, a torchvision file ([`DetectorArchitecture::weights`]), or
    /// torchvision's ImageNet weights ([`DetectorArchitecture::pretrained`]).
    #[must_use]
    pub fn resnet34() -> DetectorArchitecture {
        DetectorArchitecture::retinanet(EncoderKind::Resnet34)
    }

    /// RetinaNet on ResNet-50, from random weights, torchvision's ImageNet weights
    /// ([`DetectorArchitecture::pretrained`]), or a torchvision file ([`DetectorArchitecture::weights`]): of the encoder, or
    /// of a whole RetinaNet trained on COCO.
    #[must_use]
    pub fn resnet50() -> DetectorArchitecture {
        DetectorArchitecture::retinanet(EncoderKind::Resnet50)
    }
}

/// Makers of Faster R-CNNs: a feature pyramid, proposals, and a second look at each of them.
///
/// Networks and state dicts are torchvision's (`fasterrcnn_resnet50_fpn`).
///
/// ```
/// use swath::models::FasterRcnn;
/// assert_eq!(FasterRcnn::resnet50().name(), "Faster R-CNN ResNet-50");
/// ```
pub struct FasterRcnn;

impl FasterRcnn {
    /// Faster R-CNN on ResNet-18, from random weights, a torchvision file ([`DetectorArchitecture::weights`]), or
    /// torchvision's ImageNet weights ([`DetectorArchitecture::pretrained`]).
    #[must_use]
    pub fn resnet18() -> DetectorArchitecture {
        DetectorArchitecture::faster_rcnn(EncoderKind::Resnet18)
    }

    /// Faster R-CNN on ResNet-34, from random weights, a torchvision file ([`DetectorArchitecture::weights`]), or
    /// torchvision's ImageNet weights ([`DetectorArchitecture::pretrained`]).
    #[must_use]
    pub fn resnet34() -> DetectorArchitecture {
        DetectorArchitecture::faster_rcnn(EncoderKind::Resnet34)
    }

    /// Faster R-CNN on ResNet-50, from random weights, torchvision's ImageNet weights
    /// ([`DetectorArchitecture::pretrained`]), or a torchvision file ([`DetectorArchitecture::weights`]): of the encoder, or
    /// of a whole Faster R-CNN trained on COCO.
    #[must_use]
    pub fn resnet50() -> DetectorArchitecture {
        DetectorArchitecture::faster_rcnn(EncoderKind::Resnet50)
    }
}
