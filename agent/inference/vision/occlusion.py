"""Estimates from the aligned face whether a mask or dark glasses hide a part of it.

A logistic regression on coarse brightness, colour and detail; docs/decisions/0032 describes its data and its errors.
"""

import base64
import math

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.inference.vision.codecs import Pixels

# The part of the aligned 112x112 face that is judged: without the forehead's hair, as far as the chin.
_TOP, _LEFT, _RIGHT = 20, 8, 104
_BRIGHTNESS, _COLOUR, _DETAIL = 16, 8, 8  # cells per side
# Darker than this, and in the least varied picture, differences are noise.
_LEAST_CONTRAST, _COLOURS, _LEAST_DETAIL = 4.0, 12.0, 0.3
# One weight for each cell, and the constant: float16, little endian.
_WEIGHTS = np.frombuffer(
    base64.b85decode(
        "fU9V#9WSRZ4;q^!1}x<#9V%C<>mD*OgCiCy=p?78sH1+aIw^>#iYV=(ysR{=2q^O=+NkLj{HaBpG^6aQ0-8mv3$T!`S|x@hbu8vA8YrSCcq~mRI<Bv*C8|2Acdh`"
        "V?yJ5kFet#F9x2Q&T`1x#!6_K246eo@n5yQY{wn@09HT|83nHqnQm3mkaxhmK<eN+=6Rv|U=A}*+$}Nj6!jVa-@hgcbjjVViUaco4uO=(0r>a9JWH7)lye;N3G%;"
        "SLud9-?%CKm)Ft*sTl(Yh_3Mo1<i!s<MaUcvWAu+3`;IAFA&m|JE9kSshP_a6%4l0l>q$+N!44)OQfi2c8$u8$AMXh|TL$doRLM|yTb}iB<7_Pph?5Y_eYOzwTlq"
        "w=EUMhR7jier<2rW-4E+4|0k*-WD`l>T26tHrru_WKCkta$j;w^cl+b3+Uj;W!i;3ae*3?@ILA*$3bkRYd#SS)@mm#K)T)+*U2FD-~D+bUVC(5vC6E}+;bE-Vx<5"
        "-+?iOfO$BEHGdsK_$}|3M5&uMWvD^Q!C=Ae60~LU@ZlyRh!5zOD%`5eXcOAVk)+!izjrZDK5*buB}I?=dXCJE1<Zn4<wGPizRm$RxTSN=_?_fDW2IJ0We!E6|6n0"
        "c&TEi9W5Lzh#w0sZXvE8Fra9dw<gah!lv~n46Guo&ZeBG%OtWXnJTs?yRU+;nxLODO)-+6IIFTV?lZioudP}uEhjy)1GMLs05kb1g(V~=?JGd3Neovn!X%lTzpMY"
        "SeJd}rajyrV7_f}4gr+<wYc1Zhs<aa(i!D>Hbfc&!Kr!7eaV%pqxi0ps11V{$@hLegs-u-H`zIl)o~$&i04m%v<T80K1uWF8bTBe4X0Xq%`mI)_*)tq39xIL~3$U"
        "cLb+iJp_#}8OB%e4gRV!Mh`X4<k)g~9Ldl+G=yRlI%Pbsdm&ab1ODl5UI{jonXp)rB9LnnPFWhdGsV62EQa3-&-RxSD}VJd&FRVqoS<18L7-Lvqcc&{U@Tr|Bf_A"
        "?GN@vNG%NwgHSQ@oI=?5YR7D6x30x}mT%y{uL=`82bvt~QXMEht<!tTQ;Aju_)Hx;Gjw5~Suag0M%o5x5eoN;B@Q@ts4f61VEQ)VguDEUezD^r_w@j<LYCceZo1<"
        "0cQLemw"
    ),
    "<f2",
).astype(np.float64)


def covered(face: Pixels) -> float:
    """Return the probability for one aligned face, uint8 [112, 112, 3] RGB."""
    score = float(_features(face) @ _WEIGHTS[:-1] + _WEIGHTS[-1])
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, score))))


def _features(face: Pixels) -> NDArray[np.float64]:
    part = np.asarray(cv2.cvtColor(face[_TOP:, _LEFT:_RIGHT].astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)
    light = np.ascontiguousarray(part[..., 0])
    brightness = (_cells(light, _BRIGHTNESS) - light.mean()) / max(float(light.std()), _LEAST_CONTRAST)
    colours = [(_cells(part[..., k], _COLOUR) - part[..., k].mean()) / _COLOURS for k in (1, 2)]
    edges = np.abs(np.asarray(cv2.Laplacian(cv2.GaussianBlur(light, (0, 0), 1.0), cv2.CV_32F), np.float32))
    detail = np.log((_cells(edges, _DETAIL) + _LEAST_DETAIL) / (edges.mean() + _LEAST_DETAIL))
    return np.concatenate([each.ravel() for each in (brightness, *colours, detail)]).astype(np.float64)


def _cells(values: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """Return the means of `side` x `side` cells."""
    return np.asarray(cv2.resize(np.ascontiguousarray(values), (side, side), interpolation=cv2.INTER_AREA), np.float32)
